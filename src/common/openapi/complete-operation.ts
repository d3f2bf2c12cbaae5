import type { Role } from '../../contracts/role.js';
import { API_KEY_RESOURCE_EXTENSION, API_KEY_SCOPE_EXTENSION, scopeFor, type ScopedResource } from '../auth/scopes.js';
import type { ProblemCode } from '../errors/problem.js';
import { CONDITIONS } from './api-headers.js';
import { HEADER_EXTENSION, IDEMPOTENT_EXTENSION, PROBLEM_EXTENSION } from './api-problems.js';
import { describeId } from './parameters.js';
import type { ProblemResponses } from './problem-responses.js';
import { headersOf, type HeaderName, RATE_LIMIT } from './response-headers.js';
import type { Operation } from './types.js';

type Extended = Operation & { [extension: `x-${string}`]: unknown };

/** Names of the security schemes. */
export const ACCESS_TOKEN = 'bearer';
export const API_KEY = 'apiKey';

const STATUS_DESCRIPTIONS: Record<string, string> = {
  200: 'Done',
  201: 'Created',
  202: 'Accepted',
  204: 'Done; no body',
};
/** 204, and redirections. */
const HAS_NO_BODY = /^(204|3..)$/;
const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header' as const,
  required: false,
  description: 'For 24 hours, the same request with the same key is carried out once and answered alike',
  schema: { type: 'string' as const, minLength: 1, maxLength: 255, pattern: '^[ -~]*$' },
};

/** Adds what follows from an operation's shape: security, headers, and the problems that any such operation can have. */
export function completeOperation(
  operation: Extended,
  { path, method }: { path: string; method: string },
  problems: ProblemResponses,
): void {
  const isLimited = !path.startsWith('/health');
  const isPublic = operation['x-public'] === true;
  const isIdempotent = operation[IDEMPOTENT_EXTENSION] === true;
  if (isIdempotent) operation.parameters = [...(operation.parameters ?? []), IDEMPOTENCY_KEY];
  const own = namesMarked<HeaderName>(operation, HEADER_EXTENSION);
  // As `ApiAdapter` does.
  const isConditional = method === 'get' && ('200' in operation.responses || own.includes('ETag'));
  if (isConditional) operation.parameters = [...(operation.parameters ?? []), ...CONDITIONS];
  if (operation.parameters) operation.parameters = operation.parameters.map(describeId);
  const scopes = apiKeyScopes(operation, method);
  operation.security = securityOf(operation, isPublic, scopes);
  operation.description = [operation.description, accessTo(operation, isPublic, scopes)].filter(Boolean).join('\n\n');
  const headers: HeaderName[] = ['X-Request-Id', 'Cache-Control', ...(isLimited ? RATE_LIMIT : [])];
  const isPaged = operation.parameters?.some((parameter) => 'name' in parameter && parameter.name === 'cursor');
  const sometimes: HeaderName[] = [
    ...(isIdempotent ? (['Idempotency-Replayed'] as const) : []),
    ...(isPaged ? (['Link'] as const) : []),
  ];
  for (const [status, response] of Object.entries(operation.responses)) {
    if (!response || '$ref' in response) continue;
    // What such a handler returns is for its interceptors.
    if (HAS_NO_BODY.test(status)) delete response.content;
    response.description ||= STATUS_DESCRIPTIONS[status] ?? 'Answer';
    response.headers = {
      ...headersOf([...headers, ...own], sometimes),
      ...response.headers,
    };
  }
  const declared = namesMarked<ProblemCode>(operation, PROBLEM_EXTENSION);
  if (isConditional) {
    declared.push('VERSION_MISMATCH');
    operation.responses['304'] = problems.addNotModified({ isLimited, own });
  }
  const implied = isLimited ? impliedProblems(operation, path, isPublic) : (['VALIDATION_FAILED'] as const);
  Object.assign(operation.responses, problems.add([...declared, ...implied], { isLimited, isIdempotent }));
  removeMarks(operation);
}

function removeMarks(operation: Extended): void {
  const marks = [
    ...['x-public', 'x-optional-session', IDEMPOTENT_EXTENSION],
    ...[API_KEY_RESOURCE_EXTENSION, API_KEY_SCOPE_EXTENSION],
    ...marksOf(operation, HEADER_EXTENSION),
    ...marksOf(operation, PROBLEM_EXTENSION),
  ];
  for (const mark of marks) delete operation[mark as `x-${string}`];
}

function marksOf(operation: Extended, prefix: string): string[] {
  return Object.keys(operation).filter((name) => name.startsWith(prefix));
}

/** The headers or problems that the operation's decorators name, by extensions that begin with `prefix`. */
function namesMarked<Name extends string>(operation: Extended, prefix: string): Name[] {
  return marksOf(operation, prefix).map((mark) => mark.slice(prefix.length) as Name);
}

/** @returns the scopes that an API key needs, all of them; null where keys are refused */
function apiKeyScopes(operation: Extended, method: string): string[] | null {
  const resource = operation[API_KEY_RESOURCE_EXTENSION] as ScopedResource | null | undefined;
  if (!resource) return null;
  const additional = operation[API_KEY_SCOPE_EXTENSION] as string | undefined;
  return [scopeFor(resource, method.toUpperCase()), ...(additional ? [additional] : [])];
}

/**
 * Clients such as Swagger UI send a token only where the operation names the scheme; `{}` means that none is required. The
 * scopes of an API key are listed as the roles that OpenAPI 3.1 allows there.
 */
function securityOf(operation: Extended, isPublic: boolean, scopes: string[] | null): Operation['security'] {
  if (operation['x-optional-session'] === true) return [{}, { [ACCESS_TOKEN]: [] }];
  if (isPublic) return [];
  return [{ [ACCESS_TOKEN]: [] }, ...(scopes ? [{ [API_KEY]: scopes }] : [])];
}

function accessTo(operation: Extended, isPublic: boolean, scopes: string[] | null): string {
  if (isPublic) return 'Needs no access token.';
  const role = operation['x-minimum-role'] as Role | undefined;
  const needs = role ? `Needs the role \`${role}\` or a higher one.` : 'Needs an access token.';
  if (!scopes) return `${needs} API keys are refused.`;
  return `${needs} API keys need the scope ${scopes.map((scope) => `\`${scope}\``).join(' and ')}.`;
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
