import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Secret, TOTP } from 'otpauth';
import QRCode from 'qrcode';
import type { ClientSession } from 'mongoose';
import { SecretBox } from '../../common/crypto/secret-box.js';
import { ProblemError } from '../../common/errors/problem.js';
import type { Client } from '../../common/http/client.js';
import { MfaChangedEvent } from '../../contracts/auth.events.js';
import { Transactions } from '../../platform/database/transactions.js';
import { Outbox } from '../../platform/messaging/outbox.js';
import { AccountsService } from './accounts.service.js';
import { LoginAttempts } from './login-attempts.service.js';
import { AuditService } from './audit.service.js';
import { InvalidCredentialsError } from './auth.errors.js';
import type { TotpSecretResponseDto } from './dto/mfa.dto.js';
import type { Account } from './schemas/account.schema.js';

const PURPOSE = 'mfa-secret';
const ISSUER = 'scalable-api';
/** RFC 6238: what authenticator applications assume. */
const PERIOD_SECONDS = 30;
const DIGITS = 6;
const CODE = /^\d{6}$/;
const SECRET_BYTES = 20;
/** A code of the step before or after is accepted too: clocks differ. */
const WINDOW = 1;
const RECOVERY_CODES = 10;
/** 80 bits, so a fast hash is enough. */
const RECOVERY_CODE_BYTES = 10;
const NO_STEP = -1;

/** The second factor: time-based one-time passwords, and recovery codes for when the device is lost. */
@Injectable()
export class MfaService {
  constructor(
    private readonly accounts: AccountsService,
    private readonly attempts: LoginAttempts,
    private readonly transactions: Transactions,
    private readonly outbox: Outbox,
    private readonly box: SecretBox,
    private readonly audit: AuditService,
  ) {}

  /** Makes a secret, which counts once it is confirmed. @throws InvalidCredentialsError; 403 where there is one */
  async begin(userId: string, password: string): Promise<TotpSecretResponseDto> {
    const account = await this.accounts.getWithPassword(userId, password);
    if (account.mfa) {
      throw new ProblemError('FORBIDDEN', 'There is a second factor already: turn it off with one of its codes first.');
    }
    const secret = new Secret({ size: SECRET_BYTES });
    const pendingMfaSecret = this.box.encrypt(PURPOSE, secret.base32);
    await this.transactions.run((transaction) => this.accounts.update(account, { pendingMfaSecret }, transaction));
    const otpauthUrl = totp(secret.base32, account.email).toString();
    return { secret: secret.base32, otpauthUrl, qrSvg: await QRCode.toString(otpauthUrl, { type: 'svg' }) };
  }

  /** @returns the recovery codes, which can't be had again. @throws InvalidCredentialsError */
  async confirm(userId: string, code: string, client: Client): Promise<string[]> {
    const account = await this.accounts.get(userId);
    const step = this.matchingStep(account.pendingMfaSecret, code, NO_STEP);
    if (step === null) throw new InvalidCredentialsError('The code is wrong.');
    const codes = Array.from({ length: RECOVERY_CODES }, makeRecoveryCode);
    const mfa = { secret: account.pendingMfaSecret as string, lastStep: step, recoveryCodes: codes.map(hashOf) };
    await this.transactions.run(async (transaction) => {
      await this.accounts.update(account, { mfa, pendingMfaSecret: null }, transaction);
      await this.tell(userId, true, client, transaction);
    });
    return codes;
  }

  /** @param code a TOTP or a recovery code. @throws InvalidCredentialsError; ProblemError `RATE_LIMITED` */
  async disable(userId: string, code: string, client: Client): Promise<void> {
    const account = await this.attempts.stepUp(userId, async () => {
      const found = await this.accounts.get(userId);
      if (!found.mfa || !this.accept(found.mfa, code)) throw new InvalidCredentialsError('The code is wrong.');
      return found;
    });
    await this.transactions.run(async (transaction) => {
      await this.accounts.update(account, { mfa: null }, transaction);
      await this.tell(userId, false, client, transaction);
    });
  }

  /**
   * Uses a code up, in the transaction of what it allows.
   *
   * @param code a TOTP or a recovery code
   * @throws InvalidCredentialsError for a wrong code, and for one that was used before
   */
  async useCode(account: Account, code: string, transaction: ClientSession): Promise<void> {
    const mfa = account.mfa && this.accept(account.mfa, code);
    if (!mfa) throw new InvalidCredentialsError('The code is wrong.');
    await this.accounts.update(account, { mfa }, transaction);
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
  private accept(mfa: NonNullable<Account['mfa']>, code: string): Account['mfa'] {
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
    const delta = totp(secret, '').validate({ token: code, window: WINDOW });
    if (delta === null) return null;
    const step = Math.floor(Date.now() / 1000 / PERIOD_SECONDS) + delta;
    return step > lastStep ? step : null;
  }

  private async tell(userId: string, enabled: boolean, client: Client, transaction: ClientSession): Promise<void> {
    await this.outbox.add(transaction, new MfaChangedEvent(userId, { enabled, changedAt: new Date().toISOString() }));
    await this.audit.record(enabled ? 'mfa.enabled' : 'mfa.disabled', { actorId: userId, client }, transaction);
  }
}

function totp(secret: string, label: string): TOTP {
  return new TOTP({
    issuer: ISSUER,
    label,
    secret: Secret.fromBase32(secret),
    period: PERIOD_SECONDS,
    digits: DIGITS,
    algorithm: 'SHA1',
  });
}

/** Sixteen base32 characters in groups of four, for people to type. */
function makeRecoveryCode(): string {
  const text = new Secret({ buffer: new Uint8Array(randomBytes(RECOVERY_CODE_BYTES)).buffer }).base32;
  return text.replaceAll(/(.{4})(?=.)/g, '$1-');
}

/** @param code with or without its dashes */
function hashOf(code: string): string {
  return createHash('sha256').update(code.replaceAll('-', '')).digest('base64url');
}
