#!/usr/bin/env node
/**
 * Asks the registry for known vulnerabilities of the dependencies that the service runs with. Ends with 1 when one is high or
 * critical. A registry that can't be asked (offline, or a mirror without this function) is reported, and no failure.
 */
import { spawnSync } from 'node:child_process';

const SEVERE = ['high', 'critical'];

const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
  stdio: ['ignore', 'pipe', 'ignore'],
});
let report;
try {
  report = JSON.parse(stdout);
} catch {
  report = { error: { summary: 'npm audit printed no report' } };
}

if (report.vulnerabilities) {
  const severe = Object.values(report.vulnerabilities).filter(({ severity }) => SEVERE.includes(severity));
  for (const { name, severity, via } of severe) {
    const reasons = via.map((reason) =>
      typeof reason === 'string' ? `by ${reason}` : `${reason.title}: ${reason.url}`,
    );
    console.log(`${severity}: ${name}, ${reasons.join('; ')}`);
  }
  console.log(`${severe.length} dependencies with a high or critical vulnerability`);
  process.exitCode = severe.length > 0 ? 1 : 0;
} else if (report.error?.summary) {
  // A fault of the project's, such as a missing lock file.
  console.log(report.error.summary);
  process.exitCode = 1;
} else {
  const reason = report.statusCode ? `it answered ${report.statusCode}` : 'no answer';
  console.log(`NOT AUDITED: the registry can't be asked for vulnerabilities of the dependencies (${reason})`);
}
