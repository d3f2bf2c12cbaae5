import { ProblemError } from '../../common/errors/problem.js';

export class EmailTakenError extends ProblemError {
  constructor() {
    super('EMAIL_TAKEN', 'There is an account with this email address already.');
  }
}

/** The same for an unknown address and a wrong password, so that the answer tells nothing. */
export class InvalidCredentialsError extends ProblemError {
  constructor() {
    super('INVALID_CREDENTIALS', "The email address and the password don't fit together.");
  }
}

export class RefreshTokenReusedError extends ProblemError {
  constructor() {
    super(
      'REFRESH_TOKEN_REUSED',
      'This refresh token was used before, so somebody else may have it: the session has been ended.',
    );
  }
}

export class InvalidTokenError extends ProblemError {
  constructor() {
    super('INVALID_TOKEN', 'The token is unknown, expired, or was used before.');
  }
}
