import type { Headers } from './types.js';

const integer = (description: string) => ({ description, required: true, schema: { type: 'integer' as const } });
const text = (description: string, example?: string) => ({
  description,
  required: true,
  schema: { type: 'string' as const },
  ...(example !== undefined && { example }),
});

/** Every header that the document describes, by its name, which is also its name in `components`. */
const HEADERS = {
  'Cache-Control': text('Who may keep the answer, and for how long', 'private, no-cache'),
  ETag: text('The version of the resource, for `If-Match` and `If-None-Match`', '"3"'),
  'Idempotency-Replayed': {
    description: 'This is the answer to an earlier request with the same `Idempotency-Key`',
    required: true,
    schema: { type: 'string' as const, enum: ['true'] },
  },
  Link: text('Where the next page is (RFC 8288); missing on the last one', '</api/v1/tasks?cursor=…>; rel="next"'),
  Location: text('The address of what was created, or of the file'),
  'RateLimit-Limit': integer('Requests allowed per window'),
  'RateLimit-Remaining': integer('Requests left in this window'),
  'RateLimit-Reset': integer('Seconds until the window ends'),
  'Retry-After': integer('Seconds to wait before the next attempt'),
  'WWW-Authenticate': text('The challenge (RFC 6750)', 'Bearer realm="scalable-api", error="invalid_token"'),
  'X-Cache': {
    description: 'Whether the response cache answered',
    required: true,
    schema: { type: 'string' as const, enum: ['HIT', 'MISS', 'BYPASS'] },
  },
  'X-Request-Id': text('The id of this request, in each of its log lines', '4f0c1a52-6f0e-4b7a-9d5e-2f1f3f6f9a10'),
} satisfies Headers;

/** Begins the name of the component of a header that may be missing: a reference can't say so itself. */
const OPTIONAL = 'Optional-';

const referenceTo = (component: string) => `#/components/headers/${component}`;

/** @returns those that the document refers to; the others would be components without a use */
export function sharedHeaders(document: object): Headers {
  const text = JSON.stringify(document);
  const components = Object.entries(HEADERS).flatMap(([name, header]) => [
    [name, header] as const,
    [`${OPTIONAL}${name}`, { ...header, required: false }] as const,
  ]);
  return Object.fromEntries(components.filter(([name]) => text.includes(`"${referenceTo(name)}"`))) as Headers;
}

export type HeaderName = keyof typeof HEADERS;

export const RATE_LIMIT: HeaderName[] = ['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'];

/**
 * @param always headers of each such response
 * @param sometimes headers that depend on the request or on the state of the service
 */
export function headersOf(always: readonly HeaderName[], sometimes: readonly HeaderName[] = []): Headers {
  return Object.fromEntries([
    ...always.map((name) => [name, { $ref: referenceTo(name) }]),
    ...sometimes.map((name) => [name, { $ref: referenceTo(`${OPTIONAL}${name}`) }]),
  ]) as Headers;
}
