import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { ClientSession, Model } from 'mongoose';
import { SecretBox } from '../../common/crypto/secret-box.js';
import { UnauthenticatedError } from '../../common/errors/problem.js';
import { EmailVerificationRequestedEvent, EmailVerifiedEvent, ONE_TIME_TOKEN } from '../../contracts/auth.events.js';
import { Transactions } from '../../platform/database/transactions.js';
import { Outbox } from '../../platform/messaging/outbox.js';
import { InvalidTokenError } from './auth.errors.js';
import { Account } from './schemas/account.schema.js';
import { OneTimeToken } from './schemas/one-time-token.schema.js';

const PURPOSE = 'email-verification';
const LIFETIME_MS = 24 * 3600_000;
const MAX_PER_HOUR = 3;

/** Proves that an account's address is its owner's, by a token mailed to it. */
@Injectable()
export class EmailVerificationService {
  constructor(
    @InjectModel(Account.name) private readonly accounts: Model<Account>,
    @InjectModel(OneTimeToken.name) private readonly tokens: Model<OneTimeToken>,
    private readonly transactions: Transactions,
    private readonly outbox: Outbox,
    private readonly box: SecretBox,
  ) {}

  /** Has a token mailed, once the transaction is committed. */
  async request({ _id, email }: Pick<Account, '_id' | 'email'>, transaction: ClientSession): Promise<void> {
    const token = randomBytes(32).toString('base64url');
    const expiresAt = new Date(Date.now() + LIFETIME_MS);
    await this.tokens.create([{ _id: hashOf(token), purpose: PURPOSE, user: _id, email, expiresAt }], {
      session: transaction,
    });
    await this.outbox.add(
      transaction,
      new EmailVerificationRequestedEvent(String(_id), {
        email,
        token: this.box.encrypt(ONE_TIME_TOKEN, token),
        expiresAt: expiresAt.toISOString(),
      }),
    );
  }

  /** Mails another token, at most three an hour; beyond that, and where the address is verified, it does nothing. */
  async resend(userId: string): Promise<void> {
    await this.transactions.run(async (transaction) => {
      const account = await this.accounts.findById(userId, null, { session: transaction }).lean();
      if (!account) throw new UnauthenticatedError();
      const recent = await this.tokens.countDocuments(
        { user: account._id, purpose: PURPOSE, createdAt: { $gt: new Date(Date.now() - 3600_000) } },
        { session: transaction },
      );
      if (!account.emailVerified && recent < MAX_PER_HOUR) await this.request(account, transaction);
    });
  }

  /** @throws InvalidTokenError for a token that is unknown, expired, used, or of an address the account left */
  async verify(token: string): Promise<void> {
    await this.transactions.run(async (transaction) => {
      const found = await this.tokens
        .findOneAndDelete(
          { _id: hashOf(token), purpose: PURPOSE, expiresAt: { $gt: new Date() } },
          { session: transaction },
        )
        .lean();
      if (!found) throw new InvalidTokenError();
      const { matchedCount } = await this.accounts.updateOne(
        { _id: found.user, email: found.email },
        { $set: { emailVerified: true } },
        { session: transaction },
      );
      if (matchedCount === 0) throw new InvalidTokenError();
      await this.outbox.add(transaction, new EmailVerifiedEvent(String(found.user), { email: found.email }));
    });
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
