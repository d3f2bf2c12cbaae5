import { writevSync } from 'node:fs';
import { Counter } from 'prom-client';

/** What is kept for as long as nothing can be written, in bytes; further lines are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024;
const RETRY_MS = 20;
/** What one write has at most, in bytes, where it is more than a line: a pipe takes as much whole (POSIX, `PIPE_BUF`). */
const MAX_WRITE_BYTES = 4096;
/** At the end of the process: how often, every `RETRY_MS`, what is left is tried again. */
const LAST_RETRIES = 10;

const droppedLines = new Counter({
  name: 'log_lines_dropped_total',
  help: 'Log lines that were dropped because standard output took nothing: a full disk, or a reader that stands still',
});

/** What an operator may need to see of a process that is killed in this turn of its event loop. */
const URGENT = /^\{"level":"(warn|error|fatal)"/;

/**
 * Writes log lines to a file descriptor without ever waiting for it. Lines of one turn of the event loop go out together at
 * its end, or at the exit of the process, also after an uncaught error: a write takes as long as the line itself. Warnings
 * and errors go out at once, with what came before them. What a full disk or a stalled reader doesn't take is kept, up to a
 * limit, and written later; what exceeds the limit is dropped and counted.
 */
export class LogDestination {
  private waiting: Buffer[] = [];
  private waitingBytes = 0;
  private dropped = 0;
  /** The code of the last failed write, such as `ENOSPC`. */
  private reason = '';
  private timer?: NodeJS.Timeout;
  private turnEnd?: NodeJS.Immediate;

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
    if (this.timer) return;
    if (URGENT.test(line)) this.flush();
    else this.turnEnd ??= setImmediate(() => this.flush());
  }

  /** Writes what is waiting, whole lines at a time: so a pipe keeps them whole, also beside other processes. */
  private flush(): void {
    clearTimeout(this.timer);
    clearImmediate(this.turnEnd);
    this.timer = this.turnEnd = undefined;
    let next = 0;
    try {
      while (next < this.waiting.length) {
        const end = this.endOfWrite(next);
        next = this.noteWritten(writevSync(this.fd, this.waiting.slice(next, end)), next);
      }
    } catch (error) {
      this.reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
      this.timer = setTimeout(() => this.flush(), RETRY_MS).unref();
    }
    this.waiting.splice(0, next);
    if (this.waiting.length === 0 && this.dropped > 0) this.reportRecovery();
  }

  /** @returns behind which waiting line a write that begins with the one at `start` ends */
  private endOfWrite(start: number): number {
    let end = start + 1;
    let bytes = this.waiting[start]!.length;
    for (; end < this.waiting.length; end++) {
      bytes += this.waiting[end]!.length;
      if (bytes > MAX_WRITE_BYTES) break;
    }
    return end;
  }

  /** Shortens the line that was written in part. @returns the first line that isn't written whole */
  private noteWritten(count: number, next: number): number {
    this.waitingBytes -= count;
    let rest = count;
    while (next < this.waiting.length && rest >= this.waiting[next]!.length) rest -= this.waiting[next++]!.length;
    if (rest > 0) this.waiting[next] = this.waiting[next]!.subarray(rest);
    return next;
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
