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

/** MongoDB's code of a write that finds no space on the server's disk: until there is some, it can't serve either. */
export const OUT_OF_DISK_SPACE = 14031;

/**
 * Answers of a server that can't serve at the moment: those after which drivers try a write again (MongoDB's
 * specification of retryable writes), and so what is left where the second try has failed too. HostUnreachable,
 * HostNotFound, MaxTimeMSExpired (not of that list: the server had no time for it), NetworkTimeout, ShutdownInProgress, FailedToSatisfyReadPreference, PrimarySteppedDown,
 * ExceededTimeLimit, SocketException, NotWritablePrimary, InterruptedAtShutdown, InterruptedDueToReplStateChange,
 * NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary.
 */
const UNABLE = new Set([OUT_OF_DISK_SPACE, 6, 7, 50, 89, 91, 133, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436]);

/** Whether an error means that the database can't be reached at the moment. */
export function isDatabaseUnreachable(error: unknown): boolean {
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  // What the driver makes of a lost connection in an insertMany; what a server answers has a code.
  if (name === 'MongoBulkWriteError' && code === undefined) return true;
  if (name === 'MongoServerError' || name === 'MongoBulkWriteError') {
    return typeof code === 'number' && UNABLE.has(code);
  }
  return typeof name === 'string' && UNREACHABLE.has(name);
}
