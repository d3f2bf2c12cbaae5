import { describeAmount, startProgress } from './progress.js';

describe('progress', () => {
  it('counts in megabytes', () => {
    expect(describeAmount(0.5, 51_000_000)).toBe('26 of 51 MB');
  });

  it('writes a line a quarter where there is no terminal to draw on', () => {
    const terminal = process.stderr.isTTY;
    process.stderr.isTTY = false;
    const lines: string[] = [];
    const progress = startProgress('fetching it', 8_000_000, (line) => lines.push(line));
    for (const fraction of [0, 0.1, 0.26, 0.3, 0.8, 1]) progress.update(fraction);
    progress.done();
    process.stderr.isTTY = terminal;
    expect(lines).toEqual(['fetching it: 2 of 8 MB', 'fetching it: 6 of 8 MB', 'fetching it: 8 of 8 MB']);
  });
});
