/** What servers say of the reasons that are not in the data themselves, and what to do about it. */
const REASONS: [RegExp, string][] = [
  [/ENOSPC|No space left on device|EDQUOT|Disk quota exceeded/i, 'the disk is full: free some space, then start again'],
  [
    /lock file .* already exists|shared memory block|DBPathInUse|Unable to lock the lock file/i,
    'another server uses the data, or a killed one has left its lock: end that server, then start again',
  ],
  [
    /database files are incompatible|UPGRADE PROBLEM|featureCompatibilityVersion|Invalid feature compatibility/i,
    'the data were written by another version of the server: start that version',
  ],
  [/EACCES|EPERM|Permission denied/i, 'the data belong to another user: start as that one'],
];

/**
 * Says in one line why a server didn't start.
 *
 * @param error what its start was rejected with; the lines after the first are the server's own
 */
export function explainFailure(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const reason = REASONS.find(([pattern]) => pattern.test(message))?.[1];
  const first = message.split('\n')[0]!;
  return reason ? `${first.replace(/\.$/, '')}: ${reason}` : first;
}
