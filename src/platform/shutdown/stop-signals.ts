/** 128 and the number of the signal, as shells tell of a process that one ended. */
const EXIT_CODES = { SIGTERM: 143, SIGINT: 130, SIGHUP: 129 } as const;

export type StopSignal = keyof typeof EXIT_CODES;

/**
 * Ends this process on signals: in good order once it is said how, until then at once, and on the second of a kind
 * at once as well. Handled from the start, for nothing ends the first process of a container by a signal that it doesn't handle.
 */
export class StopSignals {
  private stop?: (signal: StopSignal) => void;
  private readonly received = new Set<StopSignal>();

  constructor(signals: StopSignal[]) {
    for (const signal of signals) process.on(signal, () => this.receive(signal));
  }

  /** @param stop ends what has begun; called once for each of them */
  onSignal(stop: (signal: StopSignal) => void): void {
    this.stop = stop;
  }

  private receive(signal: StopSignal): void {
    if (!this.stop || this.received.has(signal)) process.exit(EXIT_CODES[signal]);
    this.received.add(signal);
    this.stop(signal);
  }
}
