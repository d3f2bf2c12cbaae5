/** The closed list of problem codes: status, title (RFC 9457), and how loudly one is logged. */
export const PROBLEMS = {
  VALIDATION_FAILED: { status: 400, title: 'The request is not valid' },
  MALFORMED_BODY: { status: 400, title: 'The body is not valid JSON' },
  BAD_REQUEST: { status: 400, title: 'The message is not valid HTTP' },
  INVALID_TOKEN: { status: 400, title: 'The token is not valid' },
  UNAUTHENTICATED: { status: 401, title: 'Authentication is required' },
  TOKEN_EXPIRED: { status: 401, title: 'The access token has expired' },
  INVALID_CREDENTIALS: { status: 401, title: 'The credentials are not valid' },
  MFA_REQUIRED: { status: 401, title: 'A second factor is required' },
  REFRESH_TOKEN_REUSED: { status: 401, title: 'The refresh token was used before' },
  FORBIDDEN: { status: 403, title: 'Not allowed' },
  EMAIL_UNVERIFIED: { status: 403, title: 'The email address is not verified' },
  STEP_UP_REQUIRED: { status: 403, title: 'Your password or code is required again' },
  ACCOUNT_SUSPENDED: { status: 403, title: 'The account is suspended' },
  NOT_FOUND: { status: 404, title: 'Not found' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The method is not allowed here' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request took too long' },
  EMAIL_TAKEN: { status: 409, title: 'The email address is taken' },
  LIMIT_REACHED: { status: 409, title: 'A limit is reached' },
  REQUEST_IN_PROGRESS: { status: 409, title: 'The same request is still running' },
  UPLOAD_INCOMPLETE: { status: 409, title: 'The file is not there yet' },
  OWN_ACCOUNT: { status: 409, title: 'Not possible for your own account' },
  LAST_ADMIN: { status: 409, title: 'The last administrator has to stay' },
  VERSION_MISMATCH: { status: 412, title: 'The resource has changed' },
  PAYLOAD_TOO_LARGE: { status: 413, title: 'The body is too large' },
  URI_TOO_LONG: { status: 414, title: 'The address is too long' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The media type is not supported' },
  RANGE_NOT_SATISFIABLE: { status: 416, title: 'There is no such part' },
  EXPECTATION_FAILED: { status: 417, title: 'The expectation can not be met' },
  IDEMPOTENCY_KEY_REUSED: { status: 422, title: 'The idempotency key was used for another request' },
  ACCOUNT_LOCKED: { status: 423, title: 'The account is locked for a while' },
  UPGRADE_REQUIRED: { status: 426, title: 'Another protocol is required' },
  RATE_LIMITED: { status: 429, title: 'Too many requests' },
  HEADERS_TOO_LARGE: { status: 431, title: 'The header fields are too large' },
  INTERNAL: { status: 500, title: 'Something went wrong on our side' },
  NOT_IMPLEMENTED: { status: 501, title: 'The method is not implemented' },
  DEPENDENCY_UNAVAILABLE: { status: 503, title: 'A part of the service is unavailable' },
  OVERLOADED: { status: 503, title: 'The service is overloaded' },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** One invalid field: its path (`preferences.channels.email`) and what is wrong with it. */
export interface FieldError {
  field: string;
  message: string;
}

export interface ProblemOptions {
  /** Extension members of the problem document, e.g. `errors`. */
  members?: Record<string, unknown>;
  /** Headers of the answer, e.g. `Retry-After`. */
  headers?: Record<string, string>;
  cause?: unknown;
}

/** A challenge to send an access token (RFC 6750, section 3). @param parameters no value may hold a quote */
export function bearerChallenge(parameters: Record<string, string> = {}): string {
  const all = Object.entries({ realm: 'scalable-api', ...parameters });
  return `Bearer ${all.map(([name, value]) => `${name}="${value}"`).join(', ')}`;
}

/** An error that is part of the interface: it becomes an `application/problem+json` answer (RFC 9457). */
export class ProblemError extends Error {
  readonly members: Record<string, unknown>;
  readonly headers: Record<string, string>;

  /** @param detail one sentence for the client; no internals, and nothing of another user's */
  constructor(
    readonly code: ProblemCode,
    detail: string,
    { members = {}, headers = {}, cause }: ProblemOptions = {},
  ) {
    super(detail, { cause });
    this.members = members;
    // RFC 9110, 15.5.2: a 401 always says how to authenticate.
    this.headers = this.status === 401 ? { 'WWW-Authenticate': bearerChallenge(), ...headers } : headers;
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }
}

const MAX_FIELD_ERRORS = 100;

export class ValidationFailedError extends ProblemError {
  readonly errors: FieldError[];

  /** @param all of which the answer has the first hundred: it must not be longer than the request */
  constructor(all: FieldError[]) {
    const errors = all.slice(0, MAX_FIELD_ERRORS);
    super('VALIDATION_FAILED', `Not valid: ${errors.map(({ field }) => field).join(', ')}.`, { members: { errors } });
    this.errors = errors;
  }
}

export class NotFoundError extends ProblemError {
  constructor(detail = 'There is nothing here.') {
    super('NOT_FOUND', detail);
  }
}

export class UnauthenticatedError extends ProblemError {
  constructor(detail = 'Send a valid access token.') {
    super('UNAUTHENTICATED', detail);
  }
}

const REASONS = { UNAUTHENTICATED: 'Send a valid access token.', TOKEN_EXPIRED: 'Refresh the access token.' };

/** The access token or API key of the request is not accepted: malformed, unknown, expired or revoked. */
export class BadAccessTokenError extends ProblemError {
  constructor(code: 'UNAUTHENTICATED' | 'TOKEN_EXPIRED' = 'UNAUTHENTICATED', detail = REASONS[code]) {
    super(code, detail, { headers: { 'WWW-Authenticate': bearerChallenge({ error: 'invalid_token' }) } });
  }
}

/** The scopes of the API key don't allow the request. */
export class InsufficientScopeError extends ProblemError {
  /** @param scopes all that the request takes */
  constructor(detail: string, scopes: readonly string[]) {
    const challenge = bearerChallenge({ error: 'insufficient_scope', scope: scopes.join(' ') });
    super('FORBIDDEN', detail, { headers: { 'WWW-Authenticate': challenge } });
  }
}

/** Nothing that was set up in an account by a person who mistyped an address may pass to the owner of that address. */
export class EmailUnverifiedError extends ProblemError {
  constructor() {
    super('EMAIL_UNVERIFIED', 'Verify your email address first: follow the link in the mail.');
  }
}

export class DependencyUnavailableError extends ProblemError {
  /** @param retryAfter seconds after which a retry may succeed */
  constructor(detail: string, retryAfter = 1, cause?: unknown) {
    super('DEPENDENCY_UNAVAILABLE', detail, { headers: { 'Retry-After': String(retryAfter) }, cause });
  }
}

export class VersionMismatchError extends ProblemError {
  constructor(detail = 'The resource has changed since it was read: read it again, then repeat the request.') {
    super('VERSION_MISMATCH', detail);
  }
}

export class LastAdminError extends ProblemError {
  constructor() {
    super('LAST_ADMIN', 'The last administrator cannot be demoted, suspended or deleted: make another one first.');
  }
}

export class OwnAccountError extends ProblemError {
  constructor() {
    super('OWN_ACCOUNT', 'Administrators cannot demote, suspend or delete themselves: another one has to.');
  }
}

export class AccountSuspendedError extends ProblemError {
  constructor() {
    super('ACCOUNT_SUSPENDED', 'An administrator has suspended this account.');
  }
}

export class UploadIncompleteError extends ProblemError {
  constructor(detail = 'The file has not arrived in the store: upload it first.') {
    super('UPLOAD_INCOMPLETE', detail);
  }
}
