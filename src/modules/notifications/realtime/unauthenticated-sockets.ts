/** How many sockets of one network may be without a valid token at once; further ones get a close code that says so. */
const MAX_OF_A_NETWORK = 100;
/** Including those that get the close code. Beyond it the handshake is refused, which costs no socket. */
const MAX_WITH_REFUSED = 200;

/**
 * Counts the sockets that no valid token has been shown on, by the network they come from: those that wait for a token,
 * whose token is being checked, and those that are refused and still closing.
 */
export class UnauthenticatedSockets {
  private readonly counts = new Map<string, number>();

  /** Whether a handshake is refused without a WebSocket. */
  isExhausted(network: string): boolean {
    return (this.counts.get(network) ?? 0) >= MAX_WITH_REFUSED;
  }

  /** Counts a socket. @returns false if there were too many already: it is counted until `remove` all the same */
  add(network: string): boolean {
    const count = this.counts.get(network) ?? 0;
    this.counts.set(network, count + 1);
    return count < MAX_OF_A_NETWORK;
  }

  remove(network: string): void {
    const count = this.counts.get(network) ?? 0;
    if (count > 1) this.counts.set(network, count - 1);
    else this.counts.delete(network);
  }
}
