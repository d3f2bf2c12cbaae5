import { applyDecorators } from '@nestjs/common';
import { ApiExtension, ApiHeader } from '@nestjs/swagger';
import { ApiProblems, HEADER_EXTENSION, IDEMPOTENT_EXTENSION } from './api-problems.js';
import type { HeaderName } from './response-headers.js';

/** Documents headers that this operation's own answers carry beside those of every operation. */
export const ApiResponseHeaders = (...names: HeaderName[]) =>
  applyDecorators(...names.map((name) => ApiExtension(`${HEADER_EXTENSION}${name}`, true)));

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

/** Documents a creation that honours `Idempotency-Key`. */
export const ApiIdempotent = () => ApiExtension(IDEMPOTENT_EXTENSION, true);
