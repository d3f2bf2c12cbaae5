import { BadAccessTokenError, NotFoundError } from '../../common/errors/problem.js';

export class UserNotFoundError extends NotFoundError {
  constructor() {
    super('There is no such user.');
  }
}

/** Whoever asks about themselves was deleted a moment ago: their tokens end now, and this is how they are refused. */
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
