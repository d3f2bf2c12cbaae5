import { getSchemaPath, type OpenAPIObject } from '@nestjs/swagger';
import type { Role } from '../../contracts/role.js';
import { type ProblemCode, PROBLEMS } from '../errors/problem.js';
import { HEADERS_EXTENSION, IDEMPOTENT_EXTENSION, PROBLEM_EXTENSION } from './api-problems.js';
import { ProblemResponseDto } from './problem-response.dto.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Extended = Operation & { [extension: `x-${string}`]: unknown };
type Response = Exclude<Operation['responses'][string], undefined | { $ref: string }>;

const STATUS_DESCRIPTIONS: Record<string, string> = {
  200: 'Done',
  201: 'Created',
  202: 'Accepted',
  204: 'Done; no body',
  304: 'Not modified: what `If-None-Match` names is current',
};
const integer = (description: string) => ({ description, schema: { type: 'integer' as const } });
const text = (description: string) => ({ description, schema: { type: 'string' as const } });
const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header' as const,
  required: false,
  description: 'For 24 hours, the same request with the same key is carried out once and answered alike',
  schema: { type: 'string' as const, minLength: 1, maxLength: 255 },
};
const MISSING_SCOPE = {
  'WWW-Authenticate': {
    description: 'Where the scopes of an API key are the reason: those that the operation takes (RFC 6750)',
    required: false,
    schema: { type: 'string' as const },
  },
};
const IDEMPOTENCY_REPLAYED = {
  'Idempotency-Replayed': {
    description: 'Where this is the answer to an earlier request with the same key',
    required: false,
    schema: { type: 'string' as const, enum: ['true'] },
  },
};

/** Clients such as Swagger UI send a token only where the operation names the scheme; `{}` says that it isn't required. */
function securityOf(operation: Extended, isPublic: boolean): Extended['security'] {
  if (operation['x-optional-session'] === true) return [{}, { bearer: [] }];
  return isPublic ? [] : [{ bearer: [] }];
}

/** Adds what follows from an operation's shape: security, headers, and the problems that any such operation can have. */
export function completeOperation(operation: Extended, path: string): void {
  const isHealth = path.startsWith('/health');
  const isPublic = operation['x-public'] === true;
  const isIdempotent = operation[IDEMPOTENT_EXTENSION] === true;
  if (isIdempotent) operation.parameters = [...(operation.parameters ?? []), IDEMPOTENCY_KEY];
  operation.security = securityOf(operation, isPublic);
  operation.description ||= whoMayCall(operation, isPublic);
  for (const [status, response] of Object.entries(operation.responses)) {
    if (!response || '$ref' in response) continue;
    response.description ||= STATUS_DESCRIPTIONS[status] ?? 'Answer';
    response.headers = {
      'X-Request-Id': text('The id of this request, in every log line of it'),
      ...(isHealth ? {} : rateLimitHeaders()),
      ...(operation[HEADERS_EXTENSION] as Response['headers']),
      ...(isIdempotent ? IDEMPOTENCY_REPLAYED : {}),
      ...response.headers,
    };
  }
  if (!isHealth) {
    const own = takeProblems(operation);
    Object.assign(
      operation.responses,
      problemResponses(new Set([...own, ...impliedProblems(operation, path, isPublic)])),
    );
  }
  delete operation['x-public'];
  delete operation['x-optional-session'];
  delete operation[IDEMPOTENT_EXTENSION];
  delete operation[HEADERS_EXTENSION];
}

/** The problems that the operation's decorators name; their extensions are removed. */
function takeProblems(operation: Extended): ProblemCode[] {
  const names = Object.keys(operation).filter((name) => name.startsWith(PROBLEM_EXTENSION));
  for (const name of names) delete operation[name as `x-${string}`];
  return names.map((name) => name.slice(PROBLEM_EXTENSION.length) as ProblemCode);
}

function whoMayCall(operation: Extended, isPublic: boolean): string {
  if (isPublic) return 'For everybody: no access token is needed.';
  const role = operation['x-minimum-role'] as Role | undefined;
  return role ? `For the role \`${role}\` and those above it.` : 'For whoever is logged in, about what is their own.';
}

function rateLimitHeaders() {
  return {
    'RateLimit-Limit': integer('Requests a window'),
    'RateLimit-Remaining': integer('Requests left in this window'),
    'RateLimit-Reset': integer('Seconds until the window ends'),
  };
}

function impliedProblems(operation: Extended, path: string, isPublic: boolean): ProblemCode[] {
  return [
    'VALIDATION_FAILED',
    ...(operation[IDEMPOTENT_EXTENSION] ? (['REQUEST_IN_PROGRESS', 'IDEMPOTENCY_KEY_REUSED'] as const) : []),
    ...(operation.requestBody ? (['MALFORMED_BODY', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const) : []),
    // 403: the role is too low, or the scopes of an API key are (everywhere: a key may have any).
    ...(isPublic ? [] : (['UNAUTHENTICATED', 'TOKEN_EXPIRED', 'FORBIDDEN', 'ACCOUNT_SUSPENDED'] as const)),
    ...(path.includes('{') ? (['NOT_FOUND'] as const) : []),
    'RATE_LIMITED',
    'INTERNAL',
    'DEPENDENCY_UNAVAILABLE',
    'OVERLOADED',
  ];
}

/** One response a status, its possible codes as examples. */
function problemResponses(codes: Set<ProblemCode>): Record<string, Response> {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: group.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('; '),
        headers: {
          'X-Request-Id': text('The id of this request'),
          ...(status === 429 || status === 503 || group.every((code) => code === 'REQUEST_IN_PROGRESS')
            ? { 'Retry-After': integer('Seconds to wait') }
            : {}),
          ...(status === 401
            ? { 'WWW-Authenticate': text('A challenge (RFC 6750): why the token is not accepted') }
            : {}),
          ...(status === 403 ? MISSING_SCOPE : {}),
        },
        content: {
          'application/problem+json': {
            schema: { $ref: getSchemaPath(ProblemResponseDto) },
            examples: Object.fromEntries(group.map((code) => [code, { value: exampleOf(code) }])),
          },
        },
      },
    ]),
  );
}

function exampleOf(code: ProblemCode) {
  const { status, title } = PROBLEMS[code];
  return {
    type: `urn:scalable-api:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    detail: `${title}.`,
    instance: '/api/v1/…',
    code,
    requestId: '4f0c1a52-6f0e-4b7a-9d5e-2f1f3f6f9a10',
    ...(code === 'VALIDATION_FAILED' ? { errors: [{ field: 'email', message: 'must be an email' }] } : {}),
  };
}
