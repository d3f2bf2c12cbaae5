import { jest } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Types } from 'mongoose';
import type { AccountState } from '../../src/contracts/auth.events.js';
import { Transactions } from '../../src/platform/database/transactions.js';
import { Revocations } from '../../src/platform/revocation/revocations.js';
import { buildParts, findModel } from '../support/parts.js';

/** After so long without a successful read, the feed isn't trusted. */
const STALE_MS = 5000;

let app: NestFastifyApplication;
let revocations: Revocations;
beforeAll(async () => {
  app = await buildParts();
  revocations = app.get(Revocations);
});
afterEach(() => jest.restoreAllMocks());

async function decide(userId: string, version: number, status: AccountState['status']): Promise<void> {
  await app.get(Transactions).run(async (session) => {
    await revocations.applyAccountState(userId, { version, role: 'user', status }, null, session);
  });
}

/** Reads the feed once. */
async function read(): Promise<void> {
  await revocations.onApplicationBootstrap();
  await revocations.beforeApplicationShutdown();
}

it('an instance that was cut off from the feed for longer than entries are kept notices that a suspension was lifted', async () => {
  const userId = String(new Types.ObjectId());
  await decide(userId, 5, 'suspended');
  await read();
  expect(revocations.isSuspended(userId)).toBe(true);

  // Another instance lifts it; its entry has expired when this one can read again.
  const entries = findModel<{ _id: string }>(app, 'Revocation');
  await entries.updateOne({ _id: `standing:${userId}` }, { $set: { version: 6, status: 'active' } });
  await entries.deleteOne({ _id: `account:${userId}` });
  await read();
  expect(revocations.isSuspended(userId)).toBe(true);
  const now = performance.now();
  jest.spyOn(performance, 'now').mockReturnValue(now + STALE_MS + 1);
  await read();
  expect(revocations.isSuspended(userId)).toBe(false);
});
