/** Says how far something long has come. */
export interface Progress {
  /** @param fraction 0 to 1 */
  update(fraction: number): void;
  /** Takes the line off the screen again. */
  done(): void;
}

const MB = 1_000_000;
const QUARTER = 0.25;

/** "12 of 51 MB". */
export function describeAmount(fraction: number, bytes: number): string {
  return `${Math.round((fraction * bytes) / MB)} of ${Math.round(bytes / MB)} MB`;
}

/**
 * On a terminal one line that is drawn over; elsewhere (a log file, CI) a line a quarter.
 *
 * @param bytes what 1.0 stands for
 */
export function startProgress(label: string, bytes: number, log: (line: string) => void): Progress {
  const terminal = process.stderr.isTTY ? process.stderr : undefined;
  let quarter = 0;
  return {
    update(fraction) {
      if (terminal) terminal.write(`\r\x1b[2K  ${label}: ${describeAmount(fraction, bytes)}`);
      else if (fraction >= (quarter + 1) * QUARTER) {
        quarter = Math.floor(fraction / QUARTER);
        log(`${label}: ${describeAmount(fraction, bytes)}`);
      }
    },
    done() {
      terminal?.write('\r\x1b[2K');
    },
  };
}
