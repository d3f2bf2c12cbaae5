import type { Actor } from '../../src/common/auth/actor.js';
import { AuditedActions } from '../../src/platform/audit/audited-actions.js';
import { RefusalAudit } from '../../src/platform/audit/refusal-audit.js';
import { Transactions } from '../../src/platform/database/transactions.js';
import { buildParts, findModel } from '../support/parts.js';
import { waitFor } from '../support/wait-for.js';

const PER_HOUR = 10;
const ACTOR = {
  principal: { userId: 'a'.repeat(24), role: 'admin' },
  client: { ip: '203.0.113.7', userAgent: 'a browser' },
} as Actor;
const REFUSAL = { method: 'GET', route: '/api/v1/auth/audit', needs: 'role admin' };

let actions: AuditedActions;
let transactions: Transactions;
let refusals: RefusalAudit;
let count: () => Promise<number>;
beforeAll(async () => {
  const app = await buildParts();
  actions = app.get(AuditedActions);
  transactions = app.get(Transactions);
  refusals = app.get(RefusalAudit);
  const outbox = findModel(app, 'OutboxEntry');
  count = () => outbox.countDocuments();
  await outbox.createCollection();
});

describe('entries of the audit trail', () => {
  const change = (userId: string, failure?: Error) =>
    transactions.run(async (session) => {
      await actions.add('phone.changed', ACTOR, { userId }, session);
      if (failure) throw failure;
    });

  it('are limited in an hour, for each user concerned; those of transactions that fail do not count', async () => {
    for (let nth = 0; nth < 2 * PER_HOUR; nth++) {
      await expect(change('first', new Error('the write failed'))).rejects.toThrow('the write failed');
    }
    for (let nth = 0; nth < 2 * PER_HOUR; nth++) await change('first');
    expect(await count()).toBe(PER_HOUR);
    await change('second');
    expect(await count()).toBe(PER_HOUR + 1);
  });

  it('of refusals have the limit of their own', async () => {
    const before = await count();
    for (let nth = 0; nth < 2 * PER_HOUR; nth++) await refusals.add(ACTOR, REFUSAL);
    expect((await count()) - before).toBe(PER_HOUR);
  });

  it('of refusals at once do not exceed it', async () => {
    const other = { ...ACTOR, principal: { ...ACTOR.principal, userId: 'b'.repeat(24) } };
    const before = await count();
    await Promise.all(Array.from({ length: 3 * PER_HOUR }, () => refusals.add(other, REFUSAL)));
    await waitFor('all entries', async () => (await count()) - before === PER_HOUR);
  });
});
