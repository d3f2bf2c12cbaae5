import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type Model, Types } from 'mongoose';
import { Transactions } from '../../platform/database/transactions.js';
import { AccountsService } from './accounts.service.js';
import { PasswordHasher } from './password-hasher.js';
import { Account } from './schemas/account.schema.js';

const BATCH = 50;
/** "seed", "user" */
const PREFIX = '5eed000075736572';

/** Makes accounts for trials and measurements: `user-1@seed.example`, `user-2@seed.example`, … */
@Injectable()
export class AccountSeeder {
  constructor(
    @InjectModel(Account.name) private readonly accounts: Model<Account>,
    private readonly service: AccountsService,
    private readonly hasher: PasswordHasher,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Makes those that are missing, and gives all of them one new password. Their profiles follow from their events, once an
   * instance serves. The addresses count as unverified, so nothing is mailed to them. The addresses count as unverified, so nothing is mailed to them.
   *
   * @param report gets how many there are, from time to time
   * @returns the users' ids, in order, and the password
   */
  async seed(count: number, report: (count: number) => void): Promise<{ ids: Types.ObjectId[]; password: string }> {
    const password = randomBytes(12).toString('base64url');
    const passwordHash = await this.hasher.hash(password);
    const ids = Array.from({ length: count }, (_, index) => idOf(index));
    await this.accounts.updateMany({ _id: { $in: ids } }, { $set: { passwordHash } });
    const known = new Set((await this.accounts.distinct('_id', { _id: { $in: ids } })).map(String));
    for (let from = 0; from < count; from += BATCH) {
      const missing = ids.slice(from, from + BATCH).filter((id) => !known.has(String(id)));
      await this.transactions.run(async (tx) => {
        for (const _id of missing) {
          const number = ids.indexOf(_id) + 1;
          const person = { name: `Seeded user ${number}`, email: `user-${number}@seed.example` };
          await this.service.create({ _id, ...person, passwordHash, role: 'user', emailVerified: false }, tx);
        }
      });
      report(Math.min(from + BATCH, count));
    }
    return { ids, password };
  }
}

function idOf(index: number): Types.ObjectId {
  return new Types.ObjectId(PREFIX + index.toString(16).padStart(8, '0'));
}
