/** The last day of security fixes for a major version of Node, from https://github.com/nodejs/Release#release-schedule. */
const END_OF_LIFE: Record<number, string> = {
  20: '2026-04-30',
  21: '2024-06-01',
  22: '2027-04-30',
  23: '2025-06-01',
  24: '2028-04-30',
  25: '2026-06-01',
  26: '2029-04-30',
};
const RECOMMENDED = 24;

/**
 * A warning for a version of Node that gets no security fixes any more; undefined for any other.
 *
 * @param version as in `process.versions.node`
 */
export function endOfLifeWarning(version: string, now: Date): string | undefined {
  const end = END_OF_LIFE[Number.parseInt(version, 10)];
  if (end === undefined || now.toISOString().slice(0, 10) <= end) return undefined;
  return `Node ${version} has had no security fixes since ${end}: use Node ${RECOMMENDED}`;
}

/** Logs the warning, where there is one, for the Node that this process runs on. */
export function warnOfEndOfLife(logger: { warn(message: string): void }): void {
  const warning = endOfLifeWarning(process.versions.node, new Date());
  if (warning) logger.warn(warning);
}
