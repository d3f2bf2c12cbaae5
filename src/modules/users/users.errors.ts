import { NotFoundError } from '../../common/errors/problem.js';

export class UserNotFoundError extends NotFoundError {
  constructor() {
    super('There is no such user.');
  }
}

export class AvatarNotFoundError extends NotFoundError {
  constructor() {
    super('There is no such picture.');
  }
}
