import { NotFoundError } from '../../common/errors/problem.js';

/** Unknown, deleted, or another user's: the answer doesn't tell. */
export class TaskNotFoundError extends NotFoundError {
  constructor() {
    super('There is no such task.');
  }
}
