/** How often a dependency that is gone is asked whether it is back. */
const PROBE_INTERVAL_MS = 500;

/** A dependency that was found gone isn't called until it answers a probe: its absence costs requests no time. */
export class CircuitBreaker {
  private timer?: NodeJS.Timeout;

  /**
   * @param probe rejects while the dependency is gone
   * @param isOutage tells an outage from an answer that is an error
   */
  constructor(
    private readonly probe: () => Promise<unknown>,
    private readonly isOutage: (error: unknown) => boolean,
  ) {}

  get isOpen(): boolean {
    return this.timer !== undefined;
  }

  /** @throws what the call threw, which opens the circuit if it is an outage, or at once while it is open */
  async call<T>(call: () => Promise<T>): Promise<T> {
    if (this.isOpen) throw new Error('the circuit is open');
    try {
      return await call();
    } catch (error) {
      if (this.isOutage(error)) this.open();
      throw error;
    }
  }

  /** Ends the probing, for good. */
  stop(): void {
    clearTimeout(this.timer);
  }

  private open(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.probe().then(
        () => (this.timer = undefined),
        () => this.open(),
      );
    }, PROBE_INTERVAL_MS);
    this.timer.unref();
  }
}
