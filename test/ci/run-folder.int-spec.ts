import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'run-folder-'))));
afterAll(() => rmSync(folder, { recursive: true }));

it('a run of the tests has a temporary directory of its own, and removes those of killed runs', () => {
  const temporary = join(folder, 'temporary');
  const ended = spawnSync(process.execPath, ['--version']);
  const [dead, living] = [`scalable-api-test-${ended.pid}-aaaaaa`, `scalable-api-test-${process.pid}-aaaaaa`];
  for (const name of [dead, living, 'something-else']) mkdirSync(join(temporary, name, 'data'), { recursive: true });
  // Loaded into each process of the run: notes its temporary directory.
  const [notes, noter] = [join(folder, 'notes'), join(folder, 'noter.cjs')];
  writeFileSync(noter, `require('fs').appendFileSync(${JSON.stringify(notes)}, require('os').tmpdir() + '\\n');`);
  const env = { ...process.env, TMPDIR: temporary, NODE_OPTIONS: `--require ${noter}` };
  const { status } = spawnSync(process.execPath, ['scripts/test.mjs', 'unit', '--listTests'], { env });
  expect(status).toBe(0);
  const [first, second] = readFileSync(notes, 'utf8').split('\n');
  expect(first).toBe(temporary);
  expect(second).toMatch(new RegExp(`^${temporary}/scalable-api-test-\\d+-`));
  expect(readdirSync(temporary).sort()).toEqual([living, 'something-else'].sort());
});
