import type { components } from './schema.js';

/** What every error of the service looks like (RFC 9457). */
export type Problem = components['schemas']['ProblemResponseDto'];
export type ProblemCode = Problem['code'];

/** What some problems say beside the usual fields. */
interface Extensions {
  MFA_REQUIRED: { mfaToken: string; methods: string[] };
  STEP_UP_REQUIRED: { methods: string[] };
  VALIDATION_FAILED: { errors: { field: string; message: string }[] };
}

/** The problem of a code, with what only this code has. */
export type ProblemOf<Code extends ProblemCode> = Omit<Problem, 'code'> & { code: Code } & ([Code] extends [
    keyof Extensions,
  ]
    ? Extensions[Code]
    : unknown);

/** An answer of the service that isn't a success. */
export class ApiError<Code extends ProblemCode = ProblemCode> extends Error {
  override readonly name: string = 'ApiError';
  declare readonly response: Response;

  constructor(
    readonly problem: ProblemOf<Code>,
    response: Response,
  ) {
    super(problem.detail);
    // Not shown where the error is printed: it would be most of that.
    Object.defineProperty(this, 'response', { value: response, enumerable: false });
  }

  get code(): Code {
    return this.problem.code;
  }

  get status(): number {
    return this.problem.status;
  }

  /** Names the request in the service's logs. */
  get requestId(): string {
    return this.problem.requestId;
  }

  /** When to try again, in milliseconds from the answer; undefined where the service doesn't say. */
  get retryAfterMs(): number | undefined {
    return retryAfterMs(this.response);
  }
}

/**
 * The write that was refused because the resource has changed since it was read. Let the person choose, and send the
 * choice: the client remembers the version of `current`.
 */
export class ConflictError<T = unknown> extends ApiError<'VERSION_MISMATCH'> {
  override readonly name = 'ConflictError';

  constructor(
    problem: ProblemOf<'VERSION_MISMATCH'>,
    response: Response,
    /** The body that was to be written; undefined for a deletion. */
    readonly mine: unknown,
    /** The resource as the client had seen it; undefined where it hadn't. */
    readonly base: T | undefined,
    /** The resource as it is now; undefined where it is gone. */
    readonly current: T | undefined,
  ) {
    super(problem, response);
  }
}

/** No answer came, also after the repetitions that are safe. `cause` has the last error of `fetch`. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
}

/** Whether this is the service's error with one of these codes; without codes, any error of the service. */
export function isApiError<Code extends ProblemCode = ProblemCode>(
  error: unknown,
  ...codes: Code[]
): error is ApiError<Code> {
  return error instanceof ApiError && (codes.length === 0 || codes.includes(error.code as Code));
}

/** Whether the error says that the session is over, and not only that it couldn't be renewed now. */
export function isSessionEnd(error: unknown): boolean {
  return isApiError(error, 'UNAUTHENTICATED', 'REFRESH_TOKEN_REUSED', 'ACCOUNT_SUSPENDED');
}

/** The error of an answer; what isn't a problem document (of a proxy, say) is made one. */
export async function toApiError(response: Response): Promise<ApiError> {
  const content = await response.text();
  return new ApiError(parseProblem(content) ?? problemOf(response), response);
}

function parseProblem(content: string): Problem | undefined {
  try {
    const problem = JSON.parse(content) as Partial<Problem> | null;
    return typeof problem?.code === 'string' ? (problem as Problem) : undefined;
  } catch {
    return undefined;
  }
}

function problemOf({ status, statusText, url, headers }: Response): Problem {
  return {
    type: 'about:blank',
    title: statusText,
    status,
    // Without the query, which a signed address has its signature in.
    detail: `${withoutQuery(url)} answered ${status} ${statusText}.`,
    instance: url && new URL(url).pathname,
    code: status >= 502 ? 'DEPENDENCY_UNAVAILABLE' : status >= 500 ? 'INTERNAL' : 'BAD_REQUEST',
    requestId: headers.get('X-Request-Id') ?? '',
  };
}

/** `Retry-After` in milliseconds; undefined where there is none. */
export function retryAfterMs({ headers }: Response): number | undefined {
  const value = headers.get('Retry-After');
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}

export function withoutQuery(url: string): string {
  return url.replace(/\?.*/s, '');
}
