/** Errors of the driver that mean "no database", not "a mistake of ours". */
const UNREACHABLE = new Set([
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoServerSelectionError',
  'MongooseServerSelectionError',
  'MongoNotConnectedError',
  'MongoPoolClearedError',
  'MongoWaitQueueTimeoutError',
  'MongoTopologyClosedError',
]);

/** Whether an error means that the database can't be reached at the moment. */
export function isDatabaseUnreachable(error: unknown): boolean {
  const { name } = (error ?? {}) as { name?: unknown };
  return typeof name === 'string' && UNREACHABLE.has(name);
}
