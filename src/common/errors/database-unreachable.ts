import mongoose, { mongo } from 'mongoose';

/** What the driver throws, with all that extends it, where there is no database to ask, not a mistake of ours. */
const UNREACHABLE = [
  mongo.MongoNetworkError,
  mongo.MongoSystemError,
  mongo.MongoNotConnectedError,
  mongo.MongoStalePrimaryError,
  mongo.MongoTopologyClosedError,
  mongo.MongoServerClosedError,
  mongo.MongoClientClosedError,
  mongo.MongoOperationTimeoutError,
  mongoose.Error.MongooseServerSelectionError,
];
/** No connection became free in time. The driver doesn't export its class. */
const WAIT_QUEUE_TIMEOUT = 'MongoWaitQueueTimeoutError';

/** What the driver says of an error of a connection, or of a server that can't serve now: another try may succeed. */
const LABELS = [
  mongo.MongoErrorLabel.RetryableWriteError,
  mongo.MongoErrorLabel.HandshakeError,
  mongo.MongoErrorLabel.ResetPool,
  mongo.MongoErrorLabel.InterruptInUseConnections,
];

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
  if (UNREACHABLE.some((type) => error instanceof type)) return true;
  if (!(error instanceof mongo.MongoError)) return false;
  if (error.name === WAIT_QUEUE_TIMEOUT || LABELS.some((label) => error.hasErrorLabel(label))) return true;
  if (!(error instanceof mongo.MongoServerError)) return false;
  // What the driver makes of a lost connection in an insertMany; what a server answers has a code.
  if (error.code === undefined) return error instanceof mongo.MongoBulkWriteError;
  return typeof error.code === 'number' && UNABLE.has(error.code);
}
