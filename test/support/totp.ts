import { ObjectId } from 'mongodb';
import { Secret, TOTP } from 'otpauth';
import { databaseOf } from './database.js';
import type { TestService } from './service.js';
import type { TestUser } from './users.js';

/**
 * A code that is accepted now, and for as long as the next half minute lasts.
 *
 * @param steps 1 for the code of the next half minute
 */
export function codeOf(secret: string, steps: 0 | 1 = 0): string {
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + steps * 30_000 });
}

/**
 * Lets a user who has just confirmed a second factor use the code of this half minute once more. The code of the half minute
 * before would be refused if the half minute ended between making the code and checking it.
 */
export async function allowCodeAgain(service: TestService, { id }: Pick<TestUser, 'id'>): Promise<void> {
  const filter = { _id: new ObjectId(id), mfa: { $ne: null } };
  const { matchedCount } = await databaseOf(service)
    .collection('accounts')
    .updateOne(filter, { $set: { 'mfa.lastStep': 0 } });
  if (matchedCount === 0) throw new Error('there is no second factor');
}
