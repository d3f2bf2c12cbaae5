import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { ClientSession, Model, Types } from 'mongoose';
import { sha256 } from '../../common/crypto/digest.js';
import { databaseDate, databaseNow } from '../../platform/database/database-clock.js';
import { InvalidTokenError } from './auth.errors.js';
import { OneTimeToken, type TokenPurpose } from './schemas/one-time-token.schema.js';

const HOUR_MS = 3_600_000;
const LIFETIME_MS: Record<TokenPurpose, number> = {
  'email-verification': 24 * HOUR_MS,
  'email-change': 24 * HOUR_MS,
  'password-reset': HOUR_MS,
  'mfa-login': 5 * 60_000,
};

interface NewOneTimeToken {
  purpose: TokenPurpose;
  user: Types.ObjectId;
  email: string;
  /** The hash of the device that a log-in has been begun from. */
  device?: string;
}

/** Tokens that work once, for one purpose and a while; only hashes of them are stored. */
@Injectable()
export class OneTimeTokens {
  constructor(@InjectModel(OneTimeToken.name) private readonly tokens: Model<OneTimeToken>) {}

  /** @returns the token, of which only a hash is stored */
  async create(
    { purpose, user, email, device }: NewOneTimeToken,
    tx: ClientSession,
  ): Promise<{ token: string; expiresAt: Date }> {
    const token = randomBytes(32).toString('base64url');
    const expiresAt = new Date(databaseNow() + LIFETIME_MS[purpose]);
    await this.tokens.create([{ _id: sha256(token), purpose, user, email, device, expiresAt }], { session: tx });
    return { token, expiresAt };
  }

  /** @returns a token that is still good, without using it up. @throws InvalidTokenError */
  async get(token: string, purposes: TokenPurpose[]): Promise<OneTimeToken> {
    const found = await this.tokens.findOne(valid(token, purposes)).lean();
    if (!found) throw new InvalidTokenError();
    return found;
  }

  /** Uses a token up, in the transaction of what it allows. @throws InvalidTokenError */
  async consume(token: string, purposes: TokenPurpose[], tx: ClientSession): Promise<OneTimeToken> {
    const found = await this.tokens.findOneAndDelete(valid(token, purposes), { session: tx }).lean();
    if (!found) throw new InvalidTokenError();
    return found;
  }

  /**
   * Reserves one of a token's tries, so that parallel tries can't outrun the number allowed.
   *
   * @returns the token; null where it is unknown, expired, used, or out of tries
   */
  async reserveTry(token: string, purpose: TokenPurpose, tries: number): Promise<OneTimeToken | null> {
    return await this.tokens
      .findOneAndUpdate(
        { _id: sha256(token), purpose, expiresAt: { $gt: databaseDate() }, failures: { $lt: tries } },
        { $inc: { failures: 1 } },
        { returnDocument: 'after' },
      )
      .lean();
  }

  /** Removes a user's tokens for these purposes. */
  async remove(user: Types.ObjectId | string, purposes: TokenPurpose[], tx: ClientSession): Promise<void> {
    await this.tokens.deleteMany({ user, purpose: { $in: purposes } }, { session: tx });
  }

  async removeAll(user: Types.ObjectId, tx: ClientSession): Promise<void> {
    await this.tokens.deleteMany({ user }, { session: tx });
  }
}

function valid(token: string, purposes: TokenPurpose[]) {
  return { _id: sha256(token), purpose: { $in: purposes }, expiresAt: { $gt: databaseDate() } };
}
