import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = process.cwd();
const JEST = join(ROOT, 'node_modules/jest/bin/jest.js');
const TEN_TESTS = "test('lasts', () => undefined);\n".repeat(10);
/** Code that fails when it runs for the first time in this folder. */
const FAILS_FIRST =
  "const fs = require('fs'); if (!fs.existsSync('ran')) { fs.writeFileSync('ran', ''); throw new Error('too early'); }";

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

/** Runs the scripts of `.ci/run` on a small project with these files, whose `npm test` starts Jest. */
function runCi(files: Record<string, string>, jestOptions: object = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'ci-'));
  folders.push(folder);
  const project = { scripts: { test: `node ${JEST}` }, jest: { testRegex: '-test.js$', ...jestOptions } };
  for (const [name, content] of Object.entries({ ...files, 'package.json': JSON.stringify(project) })) {
    writeFileSync(join(folder, name), content);
  }
  const run = (...args: string[]) => {
    const { status, stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
    return { status, lines: stdout.trimEnd().split('\n') };
  };
  const suite = run(resolve(ROOT, '.ci/suite.mjs'), 'report', 'true && npm --silent test');
  const { status, lines } = run(resolve(ROOT, '.ci/report.mjs'), 'report', '60');
  expect(suite.status).toBe(status);
  const flaky = lines.filter((line) => line.startsWith('flaky: '));
  return { status, lines, flaky, last: lines.at(-1), reruns: suite.lines.filter((line) => line.includes('once more')) };
}

it('counts a file that passes when it runs again as passed, and lists it', () => {
  const { status, lines, flaky, last, reruns } = runCi({
    'good-test.js': TEN_TESTS,
    'flaky-test.js': `${TEN_TESTS} test('hurries', () => { ${FAILS_FIRST} });`,
  });
  expect({ status, flaky, last }).toEqual({ status: 0, flaky: ['flaky: flaky-test.js'], last: '21 passed, 0 failed' });
  expect(lines.at(-2)).toBe('flaky: flaky-test.js');
  expect(reruns).toHaveLength(1);
  expect(lines.join('\n')).toContain('too early');
});

it('counts a file that fails again as failed, and one that cannot be loaded as one failure', () => {
  const { status, lines, flaky, last, reruns } = runCi({
    'good-test.js': TEN_TESTS,
    'bad-test.js': `${TEN_TESTS} test('is wrong', () => { throw new Error('for good'); });`,
    'unloadable-test.js': "require('./nowhere');",
  });
  expect({ status, flaky, last }).toEqual({ status: 1, flaky: [], last: '20 passed, 2 failed' });
  expect(reruns).toHaveLength(2);
  expect(lines.join('\n')).toContain('● is wrong');
  expect(lines.join('\n')).toContain('./nowhere');
  expect(lines).toContainEqual(expect.stringMatching(/^ +0\.\d +20 +2 {2}true && npm --silent test$/));
});

it('runs all again where a set-up failed, and fails where it fails twice', () => {
  const setUp = { globalSetup: './set-up.js' };
  const once = runCi({ 'good-test.js': TEN_TESTS, 'set-up.js': `module.exports = () => { ${FAILS_FIRST} };` }, setUp);
  expect(once).toMatchObject({ status: 0, flaky: ['flaky: true && npm --silent test'], last: '10 passed, 0 failed' });
  const twice = runCi(
    { 'good-test.js': TEN_TESTS, 'set-up.js': "module.exports = () => { throw new Error('no database'); };" },
    setUp,
  );
  expect(twice).toMatchObject({ status: 1, flaky: [], last: '0 passed, 1 failed' });
  expect(twice.lines.join('\n')).toContain('no database');
});

it('fails where no test ran', () => {
  expect(runCi({})).toMatchObject({ status: 1, last: '0 passed, 1 failed' });
  expect(runCi({ 'skipped-test.js': "test.skip('later', () => undefined);" })).toMatchObject({
    status: 1,
    last: '0 passed, 1 failed',
  });
});

it('fails where Jest does although each test passed', () => {
  const reporter = 'module.exports = class { getLastError() { return new Error(); } };';
  const ended = runCi({ 'good-test.js': TEN_TESTS, 'reporter.js': reporter }, { reporters: ['./reporter.js'] });
  expect(ended).toMatchObject({ status: 1, flaky: [], last: '10 passed, 1 failed' });
});
