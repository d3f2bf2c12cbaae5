#!/usr/bin/env node
/**
 * Runs a command that ends in Jest, and runs each file that failed once more, alone: a file that passes then counts as
 * passed, and as flaky. A run that ends without results (the set-up failed, say) is repeated as a whole, once.
 *
 *   node .ci/suite.mjs REPORT COMMAND
 *
 * COMMAND takes Jest's arguments after `--`, as `npm test` does. Appends one line to the file REPORT, for report.mjs.
 * Ends with 1 when anything failed or no test passed.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** More failed files than this are no accident. */
const MOST_RERUNS = 8;
const SHOWN_LINES = 20;
/** What tests write to the console that explains a failure (test/support/service.ts). */
const WORTH_REPEATING = /a service ended by itself/;

const linesOf = (text) => stripVTControlCharacters(text).split('\n');
const firstLines = (text) => linesOf(text).slice(0, SHOWN_LINES).join('\n');

/**
 * Runs a command with Jest's results in a file, and shows what it writes.
 *
 * @returns its exit code, what it wrote, and Jest's results; undefined without any
 */
async function runJest(command, args = []) {
  const folder = mkdtempSync(join(tmpdir(), 'scalable-api-ci-'));
  const file = join(folder, 'results.json');
  const line = [command, '--', ...args, '--json', `--outputFile=${file}`].join(' ');
  let output = '';
  const child = spawn('bash', ['-c', line], { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ]) {
    from.setEncoding('utf8').on('data', (text) => {
      output += text;
      to.write(text);
    });
  }
  const code = await new Promise((done) => child.once('close', done));
  const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  rmSync(folder, { recursive: true });
  return { code, output, results };
}

/** How a test file ended: `failed` is 1 at least when it failed, also without a failed test. */
function summarize({ name, status, message, assertionResults }) {
  const withStatus = (wanted) => assertionResults.filter((test) => test.status === wanted);
  const failedTests = withStatus('failed');
  const failed = status === 'failed' ? Math.max(failedTests.length, 1) : 0;
  const explanations = failedTests.map((test) => `● ${test.fullName}\n${firstLines(test.failureMessages.join('\n'))}`);
  if (failed > 0 && explanations.length === 0) explanations.push(firstLines(message));
  const path = relative(process.cwd(), name);
  return { path, passed: withStatus('passed').length, failed, details: [path, ...explanations].join('\n') };
}

/** The lines of the console that explain a failure, with what follows them. */
function worthRepeating(output) {
  const lines = linesOf(output);
  return lines.flatMap((line, index) =>
    WORTH_REPEATING.test(line) ? [lines.slice(index, index + SHOWN_LINES).join('\n')] : [],
  );
}

/** Runs the suite. @returns the line for the report, but for its duration */
async function runSuite(command) {
  let { code, output, results } = await runJest(command);
  const report = { passed: 0, failed: 0, flaky: [], details: [] };
  if (!results) {
    console.log(`== ended with ${code} and without results, runs once more: ${command}`);
    report.details.push(linesOf(output).slice(-SHOWN_LINES).join('\n'));
    ({ code, output, results } = await runJest(command));
    if (!results) return { ...report, failed: 1 };
    report.flaky.push(command);
  }
  // Dependencies are installed by now.
  const again = command.split('&&').pop().trim();
  const files = results.testResults.map(summarize);
  const mayRerun = files.filter(({ failed }) => failed > 0).length <= MOST_RERUNS;
  for (const first of files) {
    let file = first;
    if (first.failed > 0) {
      report.details.push(first.details);
      if (mayRerun) file = await rerun(again, first);
      if (file.failed === 0) report.flaky.push(first.path);
    }
    report.passed += file.passed;
    report.failed += file.failed;
  }
  if (report.details.length > 0) report.details.push(...worthRepeating(output));
  if (code !== 0 && !files.some(({ failed }) => failed > 0)) {
    report.details.push(`ended with ${code} although no test file failed`);
    report.failed += 1;
  } else if (report.passed + report.failed === 0) {
    report.details.push('no test ran');
    report.failed = 1;
  }
  return report;
}

/** @returns how the file ended, run alone; as the first time where that run had no results or no test that passed */
async function rerun(command, first) {
  console.log(`== failed, runs once more, alone: ${first.path}`);
  // What fails again may leave connections open, and would never end.
  const { code, results } = await runJest(command, ['--forceExit', '--runTestsByPath', `'${first.path}'`]);
  const [second] = results?.testResults.map(summarize) ?? [];
  if (!second || second.failed > 0) return second ?? first;
  return code === 0 && second.passed > 0 ? second : first;
}

const [reportFile, command] = process.argv.slice(2);
const started = Date.now();
const report = await runSuite(command);
const seconds = Math.round((Date.now() - started) / 1000);
appendFileSync(reportFile, `${JSON.stringify({ command, seconds, ...report })}\n`);
console.log(`== ${report.passed} passed, ${report.failed} failed in ${seconds} s: ${command}`);
process.exitCode = report.failed > 0 ? 1 : 0;
