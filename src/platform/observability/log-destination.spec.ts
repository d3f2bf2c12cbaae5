import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
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

it('writes the lines of one turn of the event loop at its end, whole and in their order', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'log-destination-'));
  const file = join(folder, 'log');
  const destination = new LogDestination(openSync(file, 'a'), () => undefined);
  // Several writes: some of many lines, and one of a line that is longer than what is written at once.
  const lines = Array.from({ length: 100 }, (_, index) => `${index} ${'é'.repeat(index === 50 ? 5000 : 60)}\n`);
  for (const line of lines) destination.write(line);
  expect(readFileSync(file, 'utf8')).toBe('');
  await setImmediate();
  expect(readFileSync(file, 'utf8')).toBe(lines.join(''));
  rmSync(folder, { recursive: true });
});

it('writes a warning at once, after the lines before it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'log-destination-'));
  const file = join(folder, 'log');
  const destination = new LogDestination(openSync(file, 'a'), () => undefined);
  const lines = ['info', 'warn'].map((level) => `${JSON.stringify({ level })}\n`);
  for (const line of lines) destination.write(line);
  expect(readFileSync(file, 'utf8')).toBe(lines.join(''));
  rmSync(folder, { recursive: true });
});
