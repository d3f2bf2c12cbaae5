import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { Secret, TOTP } from 'otpauth';
import { SecretBox } from '../../common/crypto/secret-box.js';
import { databaseNow } from '../../platform/database/database-clock.js';
import { AccountsService } from './accounts.service.js';
import { InvalidCredentialsError } from './auth.errors.js';
import type { Account } from './schemas/account.schema.js';

const PURPOSE = 'mfa-secret';
const ISSUER = 'scalable-api';
/** RFC 6238: what authenticator applications assume. */
const PERIOD_SECONDS = 30;
const DIGITS = 6;
const CODE = /^\d{6}$/;
/** A code of the step before or after is accepted too: clocks differ. */
const WINDOW = 1;
const NO_STEP = -1;

/** Checks the codes of second factors: time-based ones and recovery codes. Each works once. */
@Injectable()
export class MfaCodes {
  constructor(
    private readonly accounts: AccountsService,
    private readonly box: SecretBox,
  ) {}

  /** Encrypts a secret (base32) for storage. */
  seal(secret: string): string {
    return this.box.encrypt(PURPOSE, secret);
  }

  /**
   * Uses a code up, in the transaction of what it allows.
   *
   * @param code a TOTP or a recovery code
   * @returns the account as it is then
   * @throws InvalidCredentialsError for a wrong code, and for one that was used before
   */
  async use(account: Account, code: string, transaction: ClientSession): Promise<Account> {
    const mfa = account.mfa && this.accept(account.mfa, code);
    if (!mfa) throw new InvalidCredentialsError('The code is wrong.');
    await this.accounts.update(account, { mfa }, transaction);
    return { ...account, mfa, version: account.version + 1 };
  }

  /**
   * @param sealedSecret of a second factor that is being set up
   * @returns the time step whose code it is; null for a wrong code
   */
  firstStep(sealedSecret: string | null, code: string): number | null {
    return this.matchingStep(sealedSecret, withoutSpaces(code), NO_STEP);
  }

  /**
   * Encrypts all secrets with the first of `APP_SECRETS`, so that an older one can be retired. Can be repeated.
   *
   * @returns how many were encrypted anew
   */
  async reencryptSecrets(): Promise<number> {
    return await this.accounts.replaceMfaSecrets((sealed) => this.box.reencrypt(PURPOSE, sealed));
  }

  /** @returns the second factor after the code was used; null for a wrong code */
  private accept(mfa: NonNullable<Account['mfa']>, typed: string): Account['mfa'] {
    const code = withoutSpaces(typed);
    const step = this.matchingStep(mfa.secret, code, mfa.lastStep);
    if (step !== null) return { ...mfa, lastStep: step };
    const hash = hashOf(code.toUpperCase().replaceAll(/[^A-Z2-7]/g, ''));
    if (!mfa.recoveryCodes.includes(hash)) return null;
    return { ...mfa, recoveryCodes: mfa.recoveryCodes.filter((each) => each !== hash) };
  }

  /** @returns the time step whose code it is; null for a wrong code, and one of a step not after `lastStep` */
  private matchingStep(sealedSecret: string | null, code: string, lastStep: number): number | null {
    // The library takes any text of six characters, and fails on one of more than six bytes.
    const secret = CODE.test(code) && sealedSecret && this.box.decrypt(PURPOSE, sealedSecret);
    if (!secret) return null;
    const delta = totpOf(secret, '').validate({ token: code, window: WINDOW });
    if (delta === null) return null;
    const step = Math.floor(databaseNow() / 1000 / PERIOD_SECONDS) + delta;
    return step > lastStep ? step : null;
  }
}

/** @param secret base32 */
export function totpOf(secret: string, label: string): TOTP {
  return new TOTP({
    issuer: ISSUER,
    label,
    secret: Secret.fromBase32(secret),
    period: PERIOD_SECONDS,
    digits: DIGITS,
    algorithm: 'SHA1',
  });
}

/** How a recovery code is stored. @param code with or without its dashes */
export function hashOf(code: string): string {
  return createHash('sha256').update(code.replaceAll('-', '')).digest('base64url');
}

function withoutSpaces(code: string): string {
  return code.replaceAll(/\s/g, '');
}
