import { applyDecorators } from '@nestjs/common';
import { ApiExtension, ApiHeader, ApiResponse } from '@nestjs/swagger';
import { ApiProblems, HEADERS_EXTENSION, IDEMPOTENT_EXTENSION } from './api-problems.js';

const etag = { ETag: { description: 'The version of the resource', schema: { type: 'string' } } };

const conditionalRead = () =>
  applyDecorators(
    ApiHeader({ name: 'If-Match', required: false, description: 'Answered 412 unless it names the current `ETag`' }),
    ApiHeader({
      name: 'If-None-Match',
      required: false,
      description: 'Answered 304 where it names the current `ETag`',
    }),
    ApiResponse({ status: 304, description: 'Not modified: what `If-None-Match` names is current' }),
    ApiProblems('VERSION_MISMATCH'),
  );

/** Documents a read that carries an `ETag` and honours `If-Match` and `If-None-Match`. */
export const ApiConditionalRead = () => applyDecorators(conditionalRead(), ApiExtension(HEADERS_EXTENSION, etag));

/** Documents a write that honours `If-Match` and `If-None-Match`. */
export const ApiConditions = () =>
  applyDecorators(
    ApiHeader({ name: 'If-Match', required: false, description: 'Changes only what still has this `ETag`' }),
    ApiHeader({ name: 'If-None-Match', required: false, description: 'Changes only what has another `ETag`' }),
    ApiProblems('VERSION_MISMATCH'),
  );

/** Documents a write that honours conditions, and carries the `ETag` of the resource after it. */
export const ApiConditionalWrite = () => applyDecorators(ApiExtension(HEADERS_EXTENSION, etag), ApiConditions());

const location = { Location: { description: 'The address of what was created', schema: { type: 'string' } } };

/** Documents the answer to the creation of what has no version. */
export const ApiLocation = () => ApiExtension(HEADERS_EXTENSION, location);

/** Documents the answer to a creation. */
export const ApiCreated = () => ApiExtension(HEADERS_EXTENSION, { ...etag, ...location });

/** Documents a read that the response cache may answer; conditional, too. */
export const ApiCached = () =>
  applyDecorators(
    conditionalRead(),
    ApiExtension(HEADERS_EXTENSION, {
      ...etag,
      'X-Cache': {
        description: 'Whether the response cache answered',
        schema: { type: 'string', enum: ['HIT', 'MISS', 'BYPASS'] },
      },
    }),
  );

/** Documents a creation that honours `Idempotency-Key`. */
export const ApiIdempotent = () => ApiExtension(IDEMPOTENT_EXTENSION, true);
