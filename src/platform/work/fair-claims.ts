/** Whoever has had an item this recently lets others go first, in milliseconds. */
const RECENT_MS = 1000;
/** How long to take items of anybody after a search for others has found none: it reads all that is due. */
const SEARCH_PAUSE_MS = 250;
/** A longer list would slow down the search; the others of it are served in the order of their times. */
const MAX_LISTED = 100;

/**
 * Makes the claims of one process fair between owners: an owner that has had an item within the last second comes after
 * owners that haven't. So ten thousand due items of one owner delay those of another by milliseconds, although they were
 * due earlier; and idle capacity still goes to the ten thousand.
 */
export class FairClaims {
  /** When each owner had its latest item, the longest ago first. */
  private readonly served = new Map<string, number>();
  private searchAgainAt = 0;

  /** @returns the owners to pass over in the first search; empty where none is needed */
  passedOver(now: number): string[] {
    for (const [owner, at] of this.served) {
      if (now - at < RECENT_MS && this.served.size <= MAX_LISTED) break;
      this.served.delete(owner);
    }
    return now < this.searchAgainAt ? [] : [...this.served.keys()];
  }

  /** Notes that a search that passed over the owners has found nothing. */
  foundNobodyElse(now: number): void {
    this.searchAgainAt = now + SEARCH_PAUSE_MS;
  }

  noteServed(owner: string, now: number): void {
    this.served.delete(owner);
    this.served.set(owner, now);
  }
}
