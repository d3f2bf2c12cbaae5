import { NotFoundError } from '../../common/errors/problem.js';

/** Unknown, or another user's: the answer doesn't reveal which. */
export class NotificationNotFoundError extends NotFoundError {
  constructor() {
    super('There is no such notification.');
  }
}
