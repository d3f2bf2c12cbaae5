import { Transactions } from '../../src/platform/database/transactions.js';
import { Quotas } from '../../src/platform/quotas/quotas.js';
import { explain } from '../support/explain.js';
import { getConnectionToken } from '@nestjs/mongoose';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Connection } from 'mongoose';
import { buildParts } from '../support/parts.js';

let app: NestFastifyApplication;
let quotas: Quotas;
let transactions: Transactions;
beforeAll(async () => {
  app = await buildParts();
  quotas = app.get(Quotas, { strict: false });
  transactions = app.get(Transactions, { strict: false });
});

const take = (subject: string, limit: number, wanted: number) =>
  transactions.run((session) => quotas.takeOfDay('test', subject, { limit, wanted }, session));

describe('a quota of a day', () => {
  it('gives what is left of it, and nothing after that', async () => {
    expect(await take('a', 5, 3)).toBe(3);
    expect(await take('a', 5, 3)).toBe(2);
    expect(await take('a', 5, 1)).toBe(0);
    expect(await take('b', 5, 1)).toBe(1);
  });

  it('gives no more to many who take at once', async () => {
    const taken = await Promise.all(Array.from({ length: 20 }, () => take('crowd', 7, 1)));
    expect(taken.reduce((sum, count) => sum + count, 0)).toBe(7);
  });

  it('keeps nothing of a transaction that was not committed', async () => {
    const failing = transactions.run(async (session) => {
      await quotas.takeOfDay('test', 'undone', { limit: 1, wanted: 1 }, session);
      throw new Error('undone');
    });
    await expect(failing).rejects.toThrow('undone');
    expect(await take('undone', 1, 1)).toBe(1);
  });

  it('is found by its id', async () => {
    await take('indexed', 2, 1);
    const { stages } = await explain(app.get<Connection>(getConnectionToken()), () => take('indexed', 1, 1));
    expect(stages).not.toContain('COLLSCAN');
  });
});
