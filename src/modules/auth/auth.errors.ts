import { NotFoundError, ProblemError } from '../../common/errors/problem.js';

export class EmailTakenError extends ProblemError {
  constructor() {
    super('EMAIL_TAKEN', 'There is an account with this email address already.');
  }
}

/** The same for an unknown address and a wrong password, so that the answer reveals nothing. */
export class InvalidCredentialsError extends ProblemError {
  constructor(detail = "The email address and the password don't fit together.") {
    super('INVALID_CREDENTIALS', detail);
  }
}

/** The stored secret of a second factor can't be decrypted for this account. No code can be checked against it. */
export class UnreadableSecretError extends ProblemError {
  /** @param field of the account, for the log */
  constructor(accountId: string, field: string) {
    super(
      'INTERNAL',
      "The second factor's secret can't be read. Use a recovery code, or ask an administrator for help.",
      {
        cause: new Error(
          `${field} of account ${accountId} can't be decrypted: its secret is in APP_SECRETS no more, or it is another account's`,
        ),
      },
    );
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

/** Answered before the password is checked, for known and unknown addresses alike. */
export class AccountLockedError extends ProblemError {
  /** @param seconds until the lock ends */
  constructor(seconds: number) {
    super('ACCOUNT_LOCKED', `Too many failed log-ins: try again in ${seconds} s, or reset the password.`, {
      headers: { 'Retry-After': String(seconds) },
    });
  }
}

/** The password was right; `mfaToken` and a code go to `/login/mfa`. */
export class MfaRequiredError extends ProblemError {
  constructor(mfaToken: string) {
    super('MFA_REQUIRED', 'Send the code of your authenticator, or a recovery code, to /api/v1/auth/login/mfa.', {
      members: { mfaToken, methods: ['code'] },
    });
  }
}

/** Something of the proof is missing; wrong ones are `InvalidCredentialsError`. */
export class StepUpRequiredError extends ProblemError {
  /** @param methods all that has to be sent; empty where only a new log-in proves enough */
  constructor(methods: ('password' | 'code')[]) {
    const detail = methods.length > 0 ? `Send your ${methods.join(' and ')} along.` : 'Log in again, then repeat this.';
    super('STEP_UP_REQUIRED', detail, { members: { methods } });
  }
}

export class ApiKeyLimitError extends ProblemError {
  constructor(limit: number) {
    super('LIMIT_REACHED', `There may be ${limit} API keys at most: remove one first.`);
  }
}

export class SessionNotFoundError extends NotFoundError {
  constructor() {
    super('There is no such session.');
  }
}

export class ApiKeyNotFoundError extends NotFoundError {
  constructor() {
    super('There is no such API key.');
  }
}
