import { Injectable } from '@nestjs/common';
import type { ClientSession, Types } from 'mongoose';
import { sha256 } from '../../common/crypto/digest.js';
import { SecretBox } from '../../common/crypto/secret-box.js';
import { databaseNow } from '../../platform/database/database-clock.js';
import { ContractSteps } from '../../platform/migrations/contract-steps.js';
import { AccountsService } from './accounts.service.js';
import { InvalidCredentialsError, UnreadableSecretError } from './auth.errors.js';
import { MFA_SECRET, mfaBinding, type MfaSecretField } from './mfa-secret-binding.js';
import { BIND_MFA_SECRETS } from './migrations/bind-mfa-secrets.js';
import type { Account, Mfa, UsedCode } from './schemas/account.schema.js';
import { matchingStep } from './totp.js';

const CONTRACT_STEP = `auth.${BIND_MFA_SECRETS.id}`;
const CODE = /^\d{6}$/;
const NO_STEP = -1;

/** Checks the codes of second factors: time-based ones and recovery codes. Each works once. */
@Injectable()
export class MfaCodes {
  constructor(
    private readonly accounts: AccountsService,
    private readonly box: SecretBox,
    private readonly contractSteps: ContractSteps,
  ) {}

  /** Encrypts a secret (base32) that waits for its confirmation. */
  async encryptPending({ _id }: Account, secret: string): Promise<string> {
    return await this.encrypt(_id, 'pendingMfaSecret', secret);
  }

  /**
   * Uses a code up, in the transaction of what it allows.
   *
   * @param code a TOTP or a recovery code
   * @returns the account as it is then
   * @throws InvalidCredentialsError for a wrong code, and for one that was used before
   * @throws UnreadableSecretError
   */
  async use(account: Account, code: string, tx: ClientSession): Promise<Account> {
    const { mfa } = account;
    const used = mfa && this.accept(account, mfa, withoutSpaces(code));
    if (!used) throw new InvalidCredentialsError('The code is wrong.');
    await this.accounts.recordUsedCode(account, used, tx);
    return { ...account, mfa: { ...mfa, ...used }, version: account.version + 1 };
  }

  /**
   * Checks a code of the second factor that is being set up.
   *
   * @returns its secret, encrypted to stay, and the time step of the code; null for a wrong code
   * @throws UnreadableSecretError
   */
  async confirm(account: Account, code: string): Promise<Pick<Mfa, 'secret' | 'lastStep'> | null> {
    const { _id, pendingMfaSecret } = account;
    const typed = withoutSpaces(code);
    if (!pendingMfaSecret || !CODE.test(typed)) return null;
    const secret = this.decrypt(_id, 'pendingMfaSecret', pendingMfaSecret);
    const lastStep = matchingStep(secret, typed, NO_STEP, databaseNow());
    return lastStep === null ? null : { secret: await this.encrypt(_id, 'mfa.secret', secret), lastStep };
  }

  /**
   * Encrypts all secrets with the first of `APP_SECRETS`, so that an older one can be retired. Can be repeated.
   *
   * @returns how many were re-encrypted
   */
  async reencryptSecrets(): Promise<number> {
    const isBound = await this.contractSteps.hasBegun(CONTRACT_STEP);
    return await this.accounts.replaceMfaSecrets((account, sealed) =>
      this.box.reencrypt(MFA_SECRET, sealed, isBound ? mfaBinding(account, 'mfa.secret') : undefined),
    );
  }

  /** @returns what of the second factor changes because the code was used; null for a wrong code */
  private accept({ _id }: Account, { secret, lastStep, recoveryCodes }: Mfa, code: string): UsedCode | null {
    // The library takes any text of six characters, and fails on one of more than six bytes.
    if (CODE.test(code)) {
      const step = matchingStep(this.decrypt(_id, 'mfa.secret', secret), code, lastStep, databaseNow());
      return step === null ? null : { lastStep: step };
    }
    const hash = hashOf(code.toUpperCase().replaceAll(/[^A-Z2-7]/g, ''));
    return recoveryCodes.includes(hash) ? { recoveryCodes: recoveryCodes.filter((each) => each !== hash) } : null;
  }

  /** Not bound until no instance of the previous release serves, which can't read it otherwise. */
  private async encrypt(account: Types.ObjectId, field: MfaSecretField, secret: string): Promise<string> {
    const isBound = await this.contractSteps.hasBegun(CONTRACT_STEP);
    return this.box.encrypt(MFA_SECRET, secret, isBound ? mfaBinding(account, field) : undefined);
  }

  private decrypt(account: Types.ObjectId, field: MfaSecretField, sealed: string): string {
    const secret = this.box.decrypt(MFA_SECRET, sealed, mfaBinding(account, field));
    if (secret === null) throw new UnreadableSecretError(String(account), field);
    return secret;
  }
}

/** How a recovery code is stored. @param code with or without its dashes */
export function hashOf(code: string): string {
  return sha256(code.replaceAll('-', ''));
}

function withoutSpaces(code: string): string {
  return code.replaceAll(/\s/g, '');
}
