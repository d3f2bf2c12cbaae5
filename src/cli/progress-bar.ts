const WIDTH = 30;
const TENTH = 10;

/** Shows how far something long has come, on standard error. */
export interface ProgressBar {
  update: (count: number) => void;
  done: () => void;
}

/** `tasks [#####-----] 500,000 of 1,000,000, 1 min left` */
export function describeProgress(label: string, count: number, total: number, elapsedMs: number): string {
  const share = total === 0 ? 1 : count / total;
  const bar = '#'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '-');
  const seconds = Math.round((elapsedMs / 1000) * (1 / share - 1));
  const left =
    count === 0 || count === total
      ? ''
      : seconds < 100
        ? `, ${seconds} s left`
        : `, ${Math.round(seconds / 60)} min left`;
  return `${label} [${bar}] ${count.toLocaleString('en')} of ${total.toLocaleString('en')}${left}`;
}

/** On a terminal one line that is drawn over; elsewhere (a log, CI) a line a tenth. */
export function startProgressBar(label: string, total: number): ProgressBar {
  const terminal = process.stderr.isTTY;
  const begun = Date.now();
  let first: number | undefined;
  let shown = -1;
  const update = (count: number): void => {
    // What an earlier run had done says nothing about this one's speed.
    first ??= count;
    const text = describeProgress(label, count, total, Date.now() - begun);
    const tenth = Math.floor((count / total) * TENTH);
    if (terminal) process.stderr.write(`\r\x1b[2K${text}`);
    else if (tenth > shown) process.stderr.write(`${text}\n`);
    shown = Math.max(shown, tenth);
  };
  return { update, done: () => void (terminal && process.stderr.write('\n')) };
}
