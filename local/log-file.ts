import { closeSync, openSync, writeSync } from 'node:fs';
import { say } from './screen.js';

/**
 * A log file that never stops the process which writes it: lines that it doesn't take, as on a full disk, are dropped, and
 * their number stands in it once it takes lines again. The screen says it once.
 */
export class LogFile {
  private fd?: number;
  private dropped = 0;
  /** Only a part of the last line was written. */
  private isTorn = false;
  private isClosed = false;

  constructor(private readonly file: string) {}

  write(line: string): void {
    if (this.isClosed) return;
    try {
      this.fd ??= openSync(this.file, 'w', 0o600);
      if (this.dropped > 0) this.put(`${this.isTorn ? '\n' : ''}(${this.dropped} lines were dropped here)\n`);
      this.dropped = 0;
      this.put(`${line}\n`);
    } catch (error) {
      if (this.dropped === 0) say(`${this.file} can't be written, so lines are dropped: ${(error as Error).message}`);
      this.dropped += 1;
    }
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.isClosed = true;
  }

  /** @throws Error of the system where it can't be written whole */
  private put(text: string): void {
    let rest: Buffer = Buffer.from(text);
    this.isTorn = false;
    while (rest.length > 0) {
      rest = rest.subarray(writeSync(this.fd!, rest));
      this.isTorn = rest.length > 0;
    }
  }
}
