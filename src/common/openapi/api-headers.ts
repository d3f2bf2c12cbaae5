import { applyDecorators } from '@nestjs/common';
import { ApiExtension, ApiHeader } from '@nestjs/swagger';
import { ApiProblems, HEADERS_EXTENSION, IDEMPOTENT_EXTENSION } from './api-problems.js';
import type { HeaderName } from './response-headers.js';

/** Headers that this operation's own answers carry beside those of every operation. */
const responseHeaders = (...names: HeaderName[]) => ApiExtension(HEADERS_EXTENSION, names);

/** The request headers that every read and some writes honour. */
export const CONDITIONS = [
  { name: 'If-Match', description: 'Answered 412 unless it names the current `ETag`, or is `*`' },
  {
    name: 'If-None-Match',
    description: 'Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412',
  },
].map((condition) => ({ ...condition, in: 'header' as const, required: false, schema: { type: 'string' as const } }));

/** Documents a write that honours `If-Match` and `If-None-Match`; reads all do. */
export const ApiConditions = () =>
  applyDecorators(...CONDITIONS.map((condition) => ApiHeader(condition)), ApiProblems('VERSION_MISMATCH'));

/** Documents a read whose answer carries an `ETag`. */
export const ApiConditionalRead = () => responseHeaders('ETag');

/** Documents a write that honours conditions, and carries the `ETag` of the resource after it. */
export const ApiConditionalWrite = () => applyDecorators(responseHeaders('ETag'), ApiConditions());

/** Documents the answer to the creation of what has no version. */
export const ApiLocation = () => responseHeaders('Location');

/** Documents the answer to a creation. */
export const ApiCreated = () => responseHeaders('ETag', 'Location');

/** Documents a read that the response cache may answer. */
export const ApiCached = () => responseHeaders('ETag', 'X-Cache');

/** Documents a creation that honours `Idempotency-Key`. */
export const ApiIdempotent = () => ApiExtension(IDEMPOTENT_EXTENSION, true);
