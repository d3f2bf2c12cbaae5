import { openSync } from 'node:fs';
import { register } from 'prom-client';
import { LogDestination } from './log-destination.js';

const LINE = `${'a'.repeat(64 * 1024 - 1)}\n`;
/** What is kept: 1 MiB. */
const KEPT_LINES = 16;

it('keeps lines that a full disk does not take, up to its limit, and counts those beyond', async () => {
  const destination = new LogDestination(openSync('/dev/full', 'w'), () => {
    throw new Error('a full disk has recovered');
  });
  for (let count = 0; count < KEPT_LINES + 3; count++) destination.write(LINE);
  const [dropped] = (await register.getSingleMetric('log_lines_dropped_total')!.get()).values;
  expect(dropped!.value).toBe(3);
});
