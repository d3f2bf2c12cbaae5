import { describeProgress } from './progress-bar.js';

describe('describeProgress', () => {
  it.each([
    [0, 1000, 0, 'tasks [------------------------------] 0 of 1,000'],
    [500, 1000, 30_000, 'tasks [###############---------------] 500 of 1,000, 30 s left'],
    [1000, 1_000_000, 1000, 'tasks [------------------------------] 1,000 of 1,000,000, 17 min left'],
    [1000, 1000, 5000, 'tasks [##############################] 1,000 of 1,000'],
    [0, 0, 0, 'tasks [##############################] 0 of 0'],
  ])('%d of %d after %d ms', (count, total, elapsedMs, expected) => {
    expect(describeProgress('tasks', count, total, elapsedMs)).toBe(expected);
  });
});
