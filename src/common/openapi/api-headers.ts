import { applyDecorators } from '@nestjs/common';
import { ApiExtension, ApiHeader, ApiResponse } from '@nestjs/swagger';
import { ApiProblems, HEADERS_EXTENSION, IDEMPOTENT_EXTENSION } from './api-problems.js';
import type { HeaderName } from './response-headers.js';

/** Headers that this operation's own answers carry beside those of every operation. */
const responseHeaders = (...names: HeaderName[]) => ApiExtension(HEADERS_EXTENSION, names);

/** Documents a write that honours `If-Match` and `If-None-Match`. */
export const ApiConditions = () =>
  applyDecorators(
    ApiHeader({ name: 'If-Match', required: false, description: 'Answered 412 unless it names the current `ETag`' }),
    ApiHeader({
      name: 'If-None-Match',
      required: false,
      description: 'Where it names the current `ETag`, a read is answered 304, and a write 412',
    }),
    ApiProblems('VERSION_MISMATCH'),
  );

const conditionalRead = () =>
  applyDecorators(
    ApiConditions(),
    ApiResponse({ status: 304, description: 'Not modified: what `If-None-Match` names is current' }),
  );

/** Documents a read that carries an `ETag` and honours `If-Match` and `If-None-Match`. */
export const ApiConditionalRead = () => applyDecorators(conditionalRead(), responseHeaders('ETag'));

/** Documents a write that honours conditions, and carries the `ETag` of the resource after it. */
export const ApiConditionalWrite = () => applyDecorators(responseHeaders('ETag'), ApiConditions());

/** Documents the answer to the creation of what has no version. */
export const ApiLocation = () => responseHeaders('Location');

/** Documents the answer to a creation. */
export const ApiCreated = () => responseHeaders('ETag', 'Location');

/** Documents a read that the response cache may answer; conditional, too. */
export const ApiCached = () => applyDecorators(conditionalRead(), responseHeaders('ETag', 'X-Cache'));

/** Documents a creation that honours `Idempotency-Key`. */
export const ApiIdempotent = () => ApiExtension(IDEMPOTENT_EXTENSION, true);
