import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Secret } from 'otpauth';
import QRCode from 'qrcode';
import type { ClientSession } from 'mongoose';
import type { SessionPrincipal } from '../../common/auth/principal.js';
import { ProblemError } from '../../common/errors/problem.js';
import type { Client } from '../../common/http/client.js';
import { MfaChangedEvent } from '../../contracts/auth.events.js';
import { databaseDate, databaseNow } from '../../platform/database/database-clock.js';
import { Transactions } from '../../platform/database/transactions.js';
import { Outbox } from '../../platform/messaging/outbox.js';
import type { StepUpDto } from '../../platform/step-up/step-up.dto.js';
import { AccountsService } from './accounts.service.js';
import { AuditService } from './audit.service.js';
import { InvalidCredentialsError } from './auth.errors.js';
import type { TotpSecretResponseDto } from './dto/mfa.dto.js';
import { hashOf, MfaCodes } from './mfa-codes.js';
import { type Account, NOT_PENDING } from './schemas/account.schema.js';
import { StepUpService } from './step-up.service.js';
import { totpOf } from './totp.js';

const SECRET_BYTES = 20;
const RECOVERY_CODES = 10;
/** 120 bits, so a fast hash is enough. */
const RECOVERY_CODE_BYTES = 15;
const PENDING_MS = 10 * 60_000;

/** Turns the second factor on and off: time-based one-time passwords, and recovery codes for when the device is lost. */
@Injectable()
export class MfaService {
  constructor(
    private readonly accounts: AccountsService,
    private readonly stepUp: StepUpService,
    private readonly codes: MfaCodes,
    private readonly transactions: Transactions,
    private readonly outbox: Outbox,
    private readonly audit: AuditService,
  ) {}

  /**
   * Makes a secret, which counts once it is confirmed; for ten minutes.
   *
   * @throws what a step-up throws; EmailUnverifiedError; 403 where there is a second factor already
   */
  async begin(user: SessionPrincipal, proof: StepUpDto, client: Client): Promise<TotpSecretResponseDto> {
    await this.accounts.assertVerified(user.userId);
    const account = await this.stepUp.verify({ user, proof, client });
    if (account.mfa) {
      throw new ProblemError('FORBIDDEN', 'There is a second factor already: turn it off with one of its codes first.');
    }
    const secret = new Secret({ size: SECRET_BYTES });
    const pendingMfaSecret = await this.codes.encryptPending(account, secret.base32);
    const pending = { pendingMfaSecret, pendingMfaSince: databaseDate() };
    await this.transactions.run((tx) => this.accounts.update(account, pending, tx));
    const otpauthUrl = totpOf(secret.base32, account.email).toString();
    return { secret: secret.base32, otpauthUrl, qrSvg: await QRCode.toString(otpauthUrl, { type: 'svg' }) };
  }

  /**
   * @returns the recovery codes, which can't be had again
   * @throws InvalidCredentialsError; UnreadableSecretError; ProblemError `RATE_LIMITED`
   */
  async confirm(userId: string, code: string, client: Client): Promise<string[]> {
    const { account, confirmed } = await this.stepUp.count('code', { userId, client }, async () => {
      const account = await this.accounts.get(userId);
      const confirmed = isPending(account) ? await this.codes.confirm(account, code) : null;
      if (!confirmed) throw new InvalidCredentialsError('The code is wrong.');
      return { account, confirmed };
    });
    const codes = Array.from({ length: RECOVERY_CODES }, makeRecoveryCode);
    const mfa = { ...confirmed, recoveryCodes: codes.map(hashOf), enabledAt: databaseDate() };
    await this.transactions.run(async (tx) => {
      await this.accounts.update(account, { mfa, ...NOT_PENDING }, tx);
      await this.announce(userId, true, client, tx);
    });
    return codes;
  }

  /** @throws what a step-up throws */
  async disable(user: SessionPrincipal, proof: StepUpDto, client: Client): Promise<void> {
    const account = await this.stepUp.verify({ user, proof, client });
    await this.transactions.run(async (tx) => {
      await this.accounts.update(account, { mfa: null, ...NOT_PENDING }, tx);
      if (account.mfa) await this.announce(user.userId, false, client, tx);
    });
  }

  private async announce(userId: string, enabled: boolean, client: Client, tx: ClientSession): Promise<void> {
    await this.outbox.add([new MfaChangedEvent(userId, { enabled, changedAt: databaseDate().toISOString() })], tx);
    await this.audit.record(enabled ? 'mfa.enabled' : 'mfa.disabled', { actorId: userId, client }, tx);
  }
}

/** Whether a secret that was shown may still be confirmed. Of those of an earlier release it isn't known: they may not. */
function isPending({ pendingMfaSince }: Account): boolean {
  return pendingMfaSince != null && databaseNow() - pendingMfaSince.getTime() < PENDING_MS;
}

/** 24 base32 characters in groups of four, for people to type. */
function makeRecoveryCode(): string {
  const text = new Secret({ buffer: new Uint8Array(randomBytes(RECOVERY_CODE_BYTES)).buffer }).base32;
  return text.replaceAll(/(.{4})(?=.)/g, '$1-');
}
