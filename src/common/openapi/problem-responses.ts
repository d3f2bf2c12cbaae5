import { getSchemaPath } from '@nestjs/swagger';
import { type ProblemCode, PROBLEMS } from '../errors/problem.js';
import { isKeptRefusal } from '../http/kept-refusals.js';
import { problemTypeOf } from '../http/problem-document.js';
import { MfaRequiredProblemResponseDto, ProblemResponseDto } from './problem-response.dto.js';
import { headersOf, type HeaderName, RATE_LIMIT } from './response-headers.js';
import type { Response } from './types.js';

const ORDER = Object.keys(PROBLEMS) as ProblemCode[];
/** Statuses of refusals that come before the request is counted, or may. */
const UNCOUNTED = new Set([413, 415]);
const MAYBE_COUNTED = new Set([400, 500, 503]);

/** Responses of operations other than their own success; equal ones, and their examples, are shared in `components`. */
export class ProblemResponses {
  readonly components: Record<string, Response> = {};
  /** By code. */
  readonly examples: Record<string, { value: object }> = {};

  /** @param own headers of the operation's own answers, which are those of a 304, too */
  addNotModified({ isLimited, own }: { isLimited: boolean; own: readonly HeaderName[] }): { $ref: string } {
    const name = `${isLimited ? '' : 'Unlimited'}NotModified${own.map((header) => header.replace('-', '')).join('')}`;
    this.components[name] ??= {
      description: 'Not modified: what `If-None-Match` names is current',
      headers: headersOf(['X-Request-Id', 'Cache-Control', ...(isLimited ? RATE_LIMIT : []), ...own]),
    };
    return { $ref: `#/components/responses/${name}` };
  }

  /**
   * @param isLimited whether requests are counted
   * @param isIdempotent whether a refusal is kept for retries with its `Idempotency-Key`
   * @returns one response a status, its possible codes as examples
   */
  add(
    codes: Iterable<ProblemCode>,
    { isLimited, isIdempotent }: { isLimited: boolean; isIdempotent: boolean },
  ): Record<string, { $ref: string }> {
    const byStatus = new Map<number, ProblemCode[]>();
    for (const code of [...new Set(codes)].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b))) {
      const { status } = PROBLEMS[code];
      byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
    }
    return Object.fromEntries(
      [...byStatus].map(([status, group]) => {
        const isKept = isIdempotent && isKeptRefusal(status);
        const kind = `${isLimited ? '' : 'Unlimited'}${isKept ? 'Idempotent' : ''}`;
        const name = `${kind}${group.map(toPascalCase).join('Or')}`;
        this.components[name] ??= problemResponse(status, group, { isLimited, isKept });
        for (const code of group) this.examples[code] ??= { value: exampleOf(code) };
        return [status, { $ref: `#/components/responses/${name}` }];
      }),
    );
  }
}

function problemResponse(
  status: number,
  codes: ProblemCode[],
  { isLimited, isKept }: { isLimited: boolean; isKept: boolean },
): Response {
  const always: HeaderName[] = ['X-Request-Id', 'Cache-Control'];
  const sometimes: HeaderName[] = [];
  if (isLimited && !UNCOUNTED.has(status)) (MAYBE_COUNTED.has(status) ? sometimes : always).push(...RATE_LIMIT);
  if ([423, 429, 503].includes(status)) always.push('Retry-After');
  if (codes.includes('REQUEST_IN_PROGRESS')) sometimes.push('Retry-After');
  // A read tells which version there is.
  if (status === 412) sometimes.push('ETag', 'X-Cache');
  if (isKept) sometimes.push('Idempotency-Replayed');
  if (status === 401) always.push('WWW-Authenticate');
  // Where the scopes of an API key are the reason.
  if (status === 403) sometimes.push('WWW-Authenticate');
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('; '),
    headers: headersOf(always, sometimes),
    content: {
      'application/problem+json': {
        schema: schemaOf(codes),
        examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
      },
    },
  };
}

function schemaOf(codes: ProblemCode[]) {
  const problem = { $ref: getSchemaPath(ProblemResponseDto) };
  if (!codes.includes('MFA_REQUIRED')) return problem;
  return { anyOf: [{ $ref: getSchemaPath(MfaRequiredProblemResponseDto) }, problem] };
}

function exampleOf(code: ProblemCode) {
  const { status, title } = PROBLEMS[code];
  return {
    type: problemTypeOf(code),
    title,
    status,
    detail: `${title}.`,
    instance: '/api/v1/…',
    code,
    requestId: '4f0c1a52-6f0e-4b7a-9d5e-2f1f3f6f9a10',
    ...(code === 'VALIDATION_FAILED' && { errors: [{ field: 'email', message: 'must be an email' }] }),
    ...(code === 'STEP_UP_REQUIRED' && { methods: ['password'] }),
    ...(code === 'MFA_REQUIRED' && { mfaToken: 'k3J9vQ2mX7pR4tY8wB1nZ6cD5fG0hLsA', methods: ['code'] }),
  };
}

/** `NOT_FOUND` becomes `NotFound`. */
function toPascalCase(code: ProblemCode): string {
  return code
    .toLowerCase()
    .split('_')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');
}
