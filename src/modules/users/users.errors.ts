import { BadAccessTokenError, NotFoundError } from '../../common/errors/problem.js';

export class UserNotFoundError extends NotFoundError {
  constructor() {
    super('There is no such user.');
  }
}

/** The user of the request was deleted a moment ago. Their tokens end at that time, so the refusal is the same. */
export class OwnerGoneError extends BadAccessTokenError {
  constructor() {
    super('UNAUTHENTICATED', 'The account has been deleted.');
  }
}

/**
 * Hands an error on as it is for the owner of a profile.
 *
 * @throws OwnerGoneError instead of UserNotFoundError
 */
export function asOwner(error: unknown): never {
  throw error instanceof UserNotFoundError ? new OwnerGoneError() : error;
}

export class AvatarNotFoundError extends NotFoundError {
  constructor() {
    super('There is no such picture.');
  }
}
