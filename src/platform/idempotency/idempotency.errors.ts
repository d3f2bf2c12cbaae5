import { ProblemError } from '../../common/errors/problem.js';

const RETRY_AFTER_SECONDS = 1;

export class RequestInProgressError extends ProblemError {
  constructor() {
    super('REQUEST_IN_PROGRESS', 'A request with this idempotency key is still running: try again soon.', {
      headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) },
    });
  }
}

export class IdempotencyKeyReusedError extends ProblemError {
  constructor() {
    super('IDEMPOTENCY_KEY_REUSED', 'This idempotency key came with another body before: use a new one.');
  }
}
