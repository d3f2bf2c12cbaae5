import type { Schema } from 'mongoose';
import { requestContext } from '../../common/http/request-context.js';

/** The server ends a request's query after so long: nobody waits for the answer any more. In milliseconds. */
const MAX_TIME_MS = 10_000;
/**
 * Documents of a list in the server's first answer. Lists of a request are shorter: the local stand-in for MongoDB loses the
 * rest of a read that has a time limit.
 */
const BATCH_SIZE = 1000;

/** Limits how long the server works on each read of a request. Background work and commands may read for longer. */
export function limitQueryTime(schema: Schema): void {
  schema.pre(['find', 'findOne', 'countDocuments', 'distinct'], function () {
    if (requestContext.getStore()) this.maxTimeMS(MAX_TIME_MS);
  });
  schema.pre('find', function () {
    if (requestContext.getStore()) this.batchSize(BATCH_SIZE);
  });
  schema.pre('aggregate', function () {
    if (requestContext.getStore()) this.option({ maxTimeMS: MAX_TIME_MS });
  });
}
