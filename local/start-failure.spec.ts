import { explainFailure } from './start-failure.js';

const failure = (line: string) => new Error(`postgres didn't start (code 1).\n  LOG:  starting\n  ${line}`);

it.each([
  ['FATAL:  could not write lock file "postmaster.pid": No space left on device', 'the disk is full'],
  ['FATAL:  lock file "postmaster.pid" already exists', 'a killed one has left its lock'],
  [
    '{"msg":"DBException in initAndListen","attr":{"error":"DBPathInUse: Unable to lock"}}',
    'another server uses the data',
  ],
  ['FATAL:  database files are incompatible with server', 'another version of the server'],
  ['FATAL:  could not open directory "pg_wal": Permission denied', 'belong to another user'],
])('gives the reason in "%s"', (line, reason) => {
  expect(explainFailure(failure(line))).toMatch(`postgres didn't start (code 1): `);
  expect(explainFailure(failure(line))).toContain(reason);
});

it('gives the first line of anything else', () => {
  expect(explainFailure(failure('PANIC:  something new'))).toBe("postgres didn't start (code 1).");
});
