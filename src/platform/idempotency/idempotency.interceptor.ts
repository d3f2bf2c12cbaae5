import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Injectable,
  Logger,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import type { AuthenticatedRequest } from '../../common/auth/principal.js';
import { ProblemError, ValidationFailedError } from '../../common/errors/problem.js';
import { assertBounded } from '../../common/http/bounded-input.js';
import { isKeptRefusal } from '../../common/http/kept-refusals.js';
import { problemHeaders, toProblemDocument } from '../../common/http/problem-document.js';
import { ApiIdempotent } from '../../common/openapi/api-headers.js';
import { CacheInvalidations } from '../cache/cache-invalidations.js';
import { Transactions } from '../database/transactions.js';
import { digest, fingerprintOf } from './fingerprint.js';
import type { IdempotencyRecord, KeptAnswer } from './idempotency-record.schema.js';
import { IdempotencyRecords, type KeyedRequest } from './idempotency-records.js';

const HEADER = 'Idempotency-Key';
const KEY = /^[\x20-\x7e]{1,255}$/;
const KEY_STAYS_TAKEN = 'the key of a request is taken until its lease runs out';
const KEPT_HEADERS = ['Content-Type', 'ETag', 'Location'];

/**
 * This POST handler creates something, and honours `Idempotency-Key`: all its transactions
 * become one, which also stores the answer. So it is carried out once, whichever step fails, and must be repeatable.
 * Not for answers that hold a secret: answers are stored.
 */
export const Idempotent = () => applyDecorators(UseInterceptors(IdempotencyInterceptor), ApiIdempotent());

const Unkept = Reflector.createDecorator<boolean>();

/**
 * The same for an answer that expires, such as a signed URL: it isn't kept, so a repeated request is carried out again. While
 * one is running, its key can't be used.
 */
export const IdempotentWhileRunning = () => applyDecorators(Idempotent(), Unkept(true));

/** Carries out a request with a key once, and gives its answer to later requests with the same key. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  private readonly logger = new Logger(IdempotencyInterceptor.name);

  constructor(
    private readonly records: IdempotencyRecords,
    private readonly transactions: Transactions,
    private readonly invalidations: CacheInvalidations,
    private readonly reflector: Reflector,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    if (request.headers[HEADER.toLowerCase()] === undefined) return next.handle();
    if (this.reflector.get(Unkept, context.getHandler())) {
      return from(this.answerWhileRunning(request, next));
    }
    return from(this.answer(request, context.switchToHttp().getResponse<FastifyReply>(), next));
  }

  private async answerWhileRunning(request: AuthenticatedRequest, next: CallHandler): Promise<unknown> {
    const record = await this.records.claimAnew(keyedRequestOf(request));
    try {
      return await lastValueFrom(next.handle());
    } finally {
      await this.free(record);
    }
  }

  private async answer(request: AuthenticatedRequest, reply: FastifyReply, next: CallHandler): Promise<unknown> {
    const record = await this.records.claim(keyedRequestOf(request));
    if (record.answer) {
      // The process that stored the answer may have died before it invalidated the cache.
      await this.invalidations.invalidateAll(request.user?.userId as string);
      return send(reply.header('Idempotency-Replayed', 'true'), record.answer);
    }
    try {
      const answer = await this.transactions.enclose(
        async () => answerOf(reply, await lastValueFrom(next.handle())),
        (result, tx) => this.records.complete(record, result, tx),
      );
      return send(reply, answer);
    } catch (error) {
      await this.settle(record, error, request);
      throw error;
    }
  }

  /** After a failure, when nothing was changed: stores the refusal, or releases the key. */
  private async settle(record: IdempotencyRecord, error: unknown, request: AuthenticatedRequest): Promise<void> {
    try {
      if (isKept(error)) await this.records.complete(record, refusalOf(error, request));
      else await this.free(record);
    } catch (unrecorded) {
      this.logger.warn({ err: unrecorded }, KEY_STAYS_TAKEN);
    }
  }

  private async free(record: IdempotencyRecord): Promise<void> {
    try {
      await this.records.release(record);
    } catch (error) {
      this.logger.warn({ err: error }, KEY_STAYS_TAKEN);
    }
  }
}

function keyedRequestOf({ headers, method, url, body, user }: AuthenticatedRequest): KeyedRequest {
  const key = headers[HEADER.toLowerCase()];
  if (typeof key !== 'string' || !KEY.test(key)) {
    const message = 'must have 1 to 255 printable ASCII characters';
    throw new ValidationFailedError([{ field: HEADER, message }]);
  }
  assertBounded(body);
  const userId = user?.userId as string;
  return { id: digest(userId, method, url, key), userId, fingerprint: fingerprintOf(body) };
}

function answerOf(reply: FastifyReply, result: unknown): KeptAnswer {
  const body = result === undefined ? null : JSON.stringify(result);
  if (body !== null) void reply.type('application/json; charset=utf-8');
  const headers = KEPT_HEADERS.map((name) => [name, reply.getHeader(name)]).filter(([, value]) => value !== undefined);
  return { status: reply.statusCode, headers: Object.fromEntries(headers) as KeptAnswer['headers'], body };
}

function isKept(error: unknown): error is ProblemError {
  return error instanceof ProblemError && isKeptRefusal(error.status);
}

function refusalOf(problem: ProblemError, request: AuthenticatedRequest): KeptAnswer {
  const body = JSON.stringify(toProblemDocument(problem, request));
  return { status: problem.status, headers: problemHeaders(problem), body };
}

/** @returns what the framework is to send, byte for byte */
function send(reply: FastifyReply, { status, headers, body }: KeptAnswer): string | undefined {
  void reply.status(status).headers(headers);
  return body ?? undefined;
}
