import { randomInt } from 'node:crypto';
import { ProblemError } from '../../common/errors/problem.js';

const MAX_RETRY_AFTER_SECONDS = 5;

/** The process has more to do than it can do in time. Nothing has been done for the request. */
export class OverloadedError extends ProblemError {
  constructor() {
    super('OVERLOADED', 'This instance has more to do than it can: try again in a moment.', {
      // Random, so that clients don't all come back at once.
      headers: { 'Retry-After': String(randomInt(1, MAX_RETRY_AFTER_SECONDS + 1)) },
    });
  }
}
