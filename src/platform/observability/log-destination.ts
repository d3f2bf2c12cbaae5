import { writeSync } from 'node:fs';
import { Counter } from 'prom-client';

/** What is kept for as long as nothing can be written, in bytes; further lines are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024;
const RETRY_MS = 20;
/** At the end of the process: how often, every `RETRY_MS`, what is left is tried again. */
const LAST_RETRIES = 10;

const droppedLines = new Counter({
  name: 'log_lines_dropped_total',
  help: 'Log lines that were dropped because standard output took nothing: a full disk, or a reader that stands still',
});

/**
 * Writes log lines to a file descriptor without ever waiting for it. What a full disk or a stalled reader doesn't take is
 * kept, up to a limit, and written later; what exceeds the limit is dropped and counted.
 */
export class LogDestination {
  private waiting: Buffer[] = [];
  private waitingBytes = 0;
  private dropped = 0;
  /** The code of the last failed write, such as `ENOSPC`. */
  private reason = '';
  private timer?: NodeJS.Timeout;

  /**
   * @param fd must not block: a pipe or socket in non-blocking mode, or a file
   * @param onRecovery is called when everything kept has been written again, if lines were dropped before; with their
   *   number and the code of the error
   */
  constructor(
    private readonly fd: number,
    private readonly onRecovery: (dropped: number, reason: string) => void,
  ) {
    process.once('exit', () => this.flushAtExit());
  }

  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.waitingBytes + bytes.length > MAX_WAITING_BYTES) this.flush();
    if (this.waitingBytes + bytes.length > MAX_WAITING_BYTES) {
      this.dropped += 1;
      droppedLines.inc();
      return;
    }
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
    // Otherwise the timer writes it, after those before it.
    if (!this.timer) this.flush();
  }

  /** Writes what is waiting: a line at a time, since a pipe takes a short write whole, also beside other processes. */
  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    let written = 0;
    try {
      for (; written < this.waiting.length; written++) this.put(this.waiting[written]!, written);
    } catch (error) {
      this.reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
      this.timer = setTimeout(() => this.flush(), RETRY_MS).unref();
    }
    this.waiting.splice(0, written);
    if (this.waiting.length === 0 && this.dropped > 0) this.reportRecovery();
  }

  /** @throws Error of the system when it isn't all written; the rest stays in its place */
  private put(line: Buffer, index: number): void {
    for (let rest = line; rest.length > 0; this.waiting[index] = rest) {
      const count = writeSync(this.fd, rest);
      this.waitingBytes -= count;
      rest = rest.subarray(count);
    }
  }

  private reportRecovery(): void {
    const { dropped } = this;
    this.dropped = 0;
    this.onRecovery(dropped, this.reason);
  }

  private flushAtExit(): void {
    const clock = new Int32Array(new SharedArrayBuffer(4));
    for (let retries = 0; this.waiting.length > 0 && retries < LAST_RETRIES; retries++) {
      if (retries > 0) Atomics.wait(clock, 0, 0, RETRY_MS);
      this.flush();
    }
  }
}
