#!/usr/bin/env node
/**
 * Prints what the suites have reported (suite.mjs): failures, a table of minutes, flaky files, and, last, one line of
 * numbers. SECONDS is the duration of all.
 *
 *   node .ci/report.mjs REPORT SECONDS
 *
 * Ends with 1 when anything failed or nothing passed.
 */
import { existsSync, readFileSync } from 'node:fs';

const [file, seconds] = process.argv.slice(2);
const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
const suites = lines.filter((line) => line !== '').map((line) => JSON.parse(line));
const sum = (field) => suites.reduce((total, suite) => total + suite[field], 0);
const row = (...columns) =>
  columns.map((column, index) => (index < 3 ? String(column).padStart(8) : `  ${column}`)).join('');
const minutes = (seconds) => (seconds / 60).toFixed(1);

for (const { command, failed, details } of suites) {
  if (details.length === 0) continue;
  // Far up by now: once more, where it is looked for.
  console.log(`\n== ${failed > 0 ? 'FAILED' : 'flaky'}: ${command}\n${details.join('\n\n')}`);
}
console.log(`\n${row('minutes', 'passed', 'failed', 'suite')}`);
for (const { command, passed, failed, seconds } of suites) console.log(row(minutes(seconds), passed, failed, command));
console.log(row(minutes(seconds), sum('passed'), sum('failed'), 'all'));
for (const path of suites.flatMap(({ flaky }) => flaky)) console.log(`flaky: ${path}`);
console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
process.exitCode = sum('failed') > 0 || sum('passed') === 0 ? 1 : 0;
