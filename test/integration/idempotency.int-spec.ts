import type { CallHandler, ExecutionContext } from '@nestjs/common';
import { getConnectionToken } from '@nestjs/mongoose';
import { Reflector } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Connection, Types } from 'mongoose';
import { lastValueFrom, defer, type Observable } from 'rxjs';
import { ProblemError, type ProblemCode, PROBLEMS } from '../../src/common/errors/problem.js';
import { Transactions } from '../../src/platform/database/transactions.js';
import { CacheInvalidations } from '../../src/platform/cache/cache-invalidations.js';
import { IdempotencyInterceptor } from '../../src/platform/idempotency/idempotency.interceptor.js';
import { IdempotencyRecords } from '../../src/platform/idempotency/idempotency-records.js';
import { buildParts } from '../support/parts.js';

/** As much of Fastify's reply as the interceptor uses. */
class Reply {
  statusCode = 201;
  private readonly fields: Record<string, unknown> = {};

  status(code: number): this {
    this.statusCode = code;
    return this;
  }

  header(name: string, value: unknown): this {
    this.fields[name.toLowerCase()] = value;
    return this;
  }

  headers(fields: Record<string, unknown>): this {
    for (const [name, value] of Object.entries(fields)) this.header(name, value);
    return this;
  }

  type(value: string): this {
    return this.header('Content-Type', value);
  }

  getHeader(name: string): unknown {
    return this.fields[name.toLowerCase()];
  }
}

let app: NestFastifyApplication;
let interceptor: IdempotencyInterceptor;
let connection: Connection;
beforeAll(async () => {
  app = await buildParts();
  connection = app.get<Connection>(getConnectionToken());
  interceptor = new IdempotencyInterceptor(
    app.get(IdempotencyRecords),
    app.get(Transactions),
    app.get(CacheInvalidations),
    app.get(Reflector),
  );
});

/** A client that repeats one request with a key to a handler of the test's. */
function client() {
  const request = {
    ...{ method: 'POST', url: '/things', id: 'r', body: { a: 1 }, headers: { 'idempotency-key': 'key' } },
    user: { userId: String(new Types.ObjectId()) },
  };
  return async (handle: () => Promise<unknown>) => {
    const reply = new Reply();
    const context = {
      getHandler: () => client,
      switchToHttp: () => ({ getRequest: () => request, getResponse: () => reply }),
    };
    const next: CallHandler = { handle: () => defer(handle) };
    const answer = interceptor.intercept(context as unknown as ExecutionContext, next) as Observable<string>;
    return {
      body: await lastValueFrom(answer),
      status: reply.statusCode,
      replayed: reply.getHeader('Idempotency-Replayed'),
    };
  };
}

const CODES = Object.keys(PROBLEMS) as ProblemCode[];
const NOT_KEPT = CODES.filter(
  (code) => [401, 403, 409, 429].includes(PROBLEMS[code].status) || PROBLEMS[code].status >= 500,
);
const KEPT = CODES.filter((code) => !NOT_KEPT.includes(code));

it.each(NOT_KEPT)('%s is not kept: the next request is carried out', async (code) => {
  const send = client();
  await expect(send(() => Promise.reject(new ProblemError(code, 'no')))).rejects.toThrow('no');
  expect(await send(() => Promise.resolve('done'))).toEqual({ body: '"done"', status: 201, replayed: undefined });
});

it('a failure of ours is not kept', async () => {
  const send = client();
  await expect(send(() => Promise.reject(new Error('a bug')))).rejects.toThrow('a bug');
  expect(await send(() => Promise.resolve('done'))).toMatchObject({ body: '"done"' });
});

it.each(KEPT)('%s is kept', async (code) => {
  const send = client();
  await expect(send(() => Promise.reject(new ProblemError(code, 'no')))).rejects.toThrow('no');
  const again = await send(() => Promise.resolve('done'));
  expect(again).toMatchObject({ status: PROBLEMS[code].status, replayed: 'true' });
  expect(JSON.parse(again.body)).toMatchObject({ code, detail: 'no' });
});

it('an answer without a body is kept as such', async () => {
  const send = client();
  await send(() => Promise.resolve(undefined));
  expect(await send(() => Promise.resolve('another'))).toEqual({ body: undefined, status: 201, replayed: 'true' });
});

it('the change and the answer become visible at once', async () => {
  const send = client();
  const things = connection.collection('things');
  const answered = () => connection.collection('idempotencykeys').countDocuments({ 'answer.body': '"made"' });
  await connection.createCollection('things');
  const seen = new Set<string>();
  let watching = true;
  const watch = (async () => {
    // In this order: an answer without the change would be seen as well as the change without an answer.
    while (watching) seen.add(`${await answered()} ${await things.countDocuments()} ${await answered()}`);
  })();
  await send(() =>
    app.get(Transactions).run(async (session) => {
      await things.insertOne({}, { session });
      return 'made';
    }),
  );
  watching = false;
  await watch;
  expect([...seen].filter((each) => ['0 1 0', '1 0 1'].includes(each))).toEqual([]);
  expect(await answered()).toBe(1);
});

it('a request whose lease was taken over commits nothing', async () => {
  const send = client();
  const things = connection.collection('things');
  const before = await things.countDocuments();
  const overtaken = send(() =>
    app.get(Transactions).run(async (session) => {
      await things.insertOne({}, { session });
      await connection
        .collection('idempotencykeys')
        .updateOne({ answer: null }, { $set: { lease: 'of another instance' } });
      return 'made';
    }),
  );
  await expect(overtaken).rejects.toMatchObject({ code: 'REQUEST_IN_PROGRESS' });
  expect(await things.countDocuments()).toBe(before);
});
