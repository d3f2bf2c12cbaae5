/** The lease on an item has run out, and another claim has taken the item, or it is gone. */
export class ClaimLost extends Error {
  constructor() {
    super('the lease has run out, and another process has taken the work over');
  }
}

/** The share of a lease that must be left for work that can't be undone: more than such work takes. */
const SAFE_SHARE = 0.5;
const MAX_EXTENSIONS = 3;

/** The lease on an item that this process works on. Its length is measured by the monotonic clock. */
export class Claim {
  private heldUntil: number;

  /**
   * @param renew stores a new lease, unless another process holds the item by now: then false
   * @param leaseMs how long a lease lasts, in milliseconds
   * @param claimedAt before the lease was stored, by `performance.now()`
   */
  constructor(
    private readonly renew: () => Promise<boolean>,
    private readonly leaseMs: number,
    claimedAt: number,
  ) {
    this.heldUntil = claimedAt + leaseMs;
  }

  /** Prolongs the claim by another lease; for work that may take longer than one. @throws ClaimLost */
  async extend(): Promise<void> {
    const askedAt = performance.now();
    if (!(await this.renew())) throw new ClaimLost();
    this.heldUntil = askedAt + this.leaseMs;
  }

  /**
   * To be called immediately before what can't be undone, such as sending a message: the process may have been paused since
   * it claimed the item. Asks the database only where less than half of the lease is left.
   *
   * @throws ClaimLost; Error where the database doesn't answer
   */
  async assertHeld(): Promise<void> {
    for (let tries = 0; this.heldUntil - performance.now() < this.leaseMs * SAFE_SHARE; tries++) {
      if (tries === MAX_EXTENSIONS) throw new Error('to prolong the lease takes longer than half of it');
      await this.extend();
    }
  }
}
