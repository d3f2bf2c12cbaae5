/** How long a call may take before it counts as failed. */
const TIMEOUT_MS = 250;
/** How long no call is made after a failure. */
const OPEN_MS = 1000;

/** A dependency that was found gone isn't asked again for a while, so that its absence costs requests no time. */
export class CircuitBreaker {
  private openUntil = 0;

  get isOpen(): boolean {
    return Date.now() < this.openUntil;
  }

  /** @throws whatever the call threw, or an Error once it took too long; both open the circuit */
  async call<T>(call: () => Promise<T>): Promise<T> {
    if (this.isOpen) throw new Error('the circuit is open');
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
    });
    try {
      return await Promise.race([call(), timeout]);
    } catch (error) {
      this.openUntil = Date.now() + OPEN_MS;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}
