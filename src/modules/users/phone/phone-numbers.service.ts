import { randomInt } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { ClientSession, Model } from 'mongoose';
import type { Actor } from '../../../common/auth/actor.js';
import { SecretBox } from '../../../common/crypto/secret-box.js';
import { ProblemError, ValidationFailedError } from '../../../common/errors/problem.js';
import type { Precondition } from '../../../common/http/etag.js';
import { isOfSmsCountry } from '../../../common/phone/sms-countries.js';
import { SmsEnvironment } from '../../../config/areas/sms.environment.js';
import { PhoneVerificationRequestedEvent } from '../../../contracts/users.events.js';
import { AuditedActions } from '../../../platform/audit/audited-actions.js';
import { databaseDate, databaseNow } from '../../../platform/database/database-clock.js';
import { Transactions } from '../../../platform/database/transactions.js';
import { OneTimeSecrets } from '../../../platform/messaging/one-time-secrets.js';
import { Outbox } from '../../../platform/messaging/outbox.js';
import { Quotas } from '../../../platform/quotas/quotas.js';
import type { User } from '../schemas/user.schema.js';
import { UsersService } from '../users.service.js';
import { PhoneCode } from './phone-code.schema.js';

const PURPOSE = 'phone-code';
const DIGITS = 6;
const LIFETIME_MS = 10 * 60_000;
const MAX_TRIES = 5;
/** Each SMS costs money, and fraudsters earn by causing them. */
const PER_DAY = { limit: 5, windowMs: 24 * 3_600_000 };

/** Confirms that a number is its user's: by a code of six digits in an SMS, good for ten minutes and five tries. */
@Injectable()
export class PhoneNumbersService {
  constructor(
    @InjectModel(PhoneCode.name) private readonly codes: Model<PhoneCode>,
    private readonly profiles: UsersService,
    private readonly quotas: Quotas,
    private readonly transactions: Transactions,
    private readonly outbox: Outbox,
    private readonly audited: AuditedActions,
    private readonly box: SecretBox,
    private readonly secrets: OneTimeSecrets,
    private readonly environment: SmsEnvironment,
  ) {}

  /**
   * Sends a new code, which ends the one before; nothing where the number is confirmed already.
   *
   * @throws EmailUnverifiedError; ValidationFailedError without a number, or where its country gets no SMS; 429 after five a day, for the user or
   *   for the number
   */
  async sendCode(userId: string): Promise<void> {
    const { phone, phoneVerified } = await this.profiles.awaitVerified(userId);
    if (phone === null) throw new ValidationFailedError([{ field: 'phone', message: 'is not set in the profile' }]);
    if (phoneVerified) return;
    if (!isOfSmsCountry(phone, this.environment.SMS_COUNTRIES)) {
      throw new ValidationFailedError([{ field: 'phone', message: 'is of a country whose numbers get no SMS here' }]);
    }
    const code = String(randomInt(10 ** DIGITS)).padStart(DIGITS, '0');
    const hash = this.box.sign(PURPOSE, signed(userId, phone, code));
    const expiresAt = databaseDate(LIFETIME_MS);
    await this.transactions.run(async (tx) => {
      await this.takeOne('phone-code-user', userId, tx);
      await this.takeOne('phone-code-number', phone, tx);
      const challenge = { phone, hash, tries: 0, expiresAt };
      await this.codes.updateOne({ _id: userId }, { $set: challenge }, { session: tx, upsert: true });
      const message = { userId, event: 'account.phone-verification', to: phone } as const;
      const sealed = await this.secrets.encrypt(code, message);
      await this.outbox.add(
        [new PhoneVerificationRequestedEvent(userId, { phone, code: sealed, expiresAt: expiresAt.toISOString() })],
        tx,
      );
    });
  }

  /**
   * @returns the profile as of then
   * @throws 401 `INVALID_CREDENTIALS` for a code that is wrong, used, out of date, or for a number that isn't theirs now
   * @throws VersionMismatchError where the precondition excludes the profile
   */
  async verify(actor: Actor, code: string, precondition: Precondition): Promise<User> {
    const { userId } = actor.principal;
    // Counted before the check and outside of the transaction, so that parallel and failed attempts count, too.
    const challenge = await this.codes
      .findOneAndUpdate(
        { _id: userId, tries: { $lt: MAX_TRIES }, expiresAt: { $gt: databaseDate() } },
        { $inc: { tries: 1 } },
      )
      .lean<PhoneCode>();
    const { phone = '', hash = '' } = challenge ?? {};
    if (!this.box.verify(PURPOSE, signed(userId, phone, code), hash)) throw wrongCode();
    return await this.transactions.run(async (tx) => {
      const { deletedCount } = await this.codes.deleteOne({ _id: userId, hash }, { session: tx });
      if (deletedCount === 0) throw wrongCode();
      const user = await this.profiles.confirmPhone(userId, phone, precondition, tx);
      await this.audited.add('phone.verified', actor, { userId }, tx);
      return user;
    });
  }

  /** Removes the number and a pending code: another person may have entered them before the address was verified. */
  async remove(userId: string, tx: ClientSession): Promise<void> {
    await this.forget(userId, tx);
    await this.profiles.removePhone(userId, tx);
  }

  /** Removes a pending code, when its user is deleted. */
  async forget(userId: string, tx: ClientSession): Promise<void> {
    await this.codes.deleteOne({ _id: userId }, { session: tx });
  }

  private async takeOne(kind: string, subject: string, tx: ClientSession): Promise<void> {
    const free = await this.quotas.take(kind, subject, PER_DAY, tx);
    if (!free) return;
    const seconds = Math.max(1, Math.ceil((free.getTime() - databaseNow()) / 1000));
    throw new ProblemError('RATE_LIMITED', 'No more codes for today: try again tomorrow.', {
      headers: { 'Retry-After': String(seconds) },
    });
  }
}

function signed(userId: string, phone: string, code: string): string {
  return `${userId}:${phone}:${code}`;
}

function wrongCode(): ProblemError {
  return new ProblemError('INVALID_CREDENTIALS', 'The code is wrong, or its time is over.');
}
