/** How many connections of one network may be unauthenticated at once. */
const MAX_OF_A_NETWORK = 100;

/**
 * Counts connections that haven't been authenticated yet, by the network they come from. One that fails keeps its place
 * until its time is over, so that this limits guesses at tokens as well.
 */
export class PendingHandshakes {
  private readonly counts = new Map<string, number>();

  /** @returns false where there are too many already */
  begin(network: string): boolean {
    const count = this.counts.get(network) ?? 0;
    if (count >= MAX_OF_A_NETWORK) return false;
    this.counts.set(network, count + 1);
    return true;
  }

  end(network: string): void {
    const count = this.counts.get(network) ?? 0;
    if (count > 1) this.counts.set(network, count - 1);
    else this.counts.delete(network);
  }
}
