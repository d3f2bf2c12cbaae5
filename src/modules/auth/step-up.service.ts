import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import type { Principal } from '../../common/auth/principal.js';
import type { Client } from '../../common/http/client.js';
import { databaseDate } from '../../platform/database/database-clock.js';
import { Transactions } from '../../platform/database/transactions.js';
import { StepUp, type StepUpRequest, type StepUpVerifier } from '../../platform/step-up/step-up.js';
import { AccountsService } from './accounts.service.js';
import { AuditService } from './audit.service.js';
import { InvalidCredentialsError, StepUpRequiredError } from './auth.errors.js';
import { LoginAttempts, type SecretKind } from './login-attempts.js';
import { MfaCodes } from './mfa-codes.js';
import { PasswordHasher } from './password-hasher.js';
import type { Account } from './schemas/account.schema.js';
import { Session } from './schemas/session.schema.js';

/** Where an account has neither password nor second factor, a session that began with a log-in this recently is enough. */
const RECENT_LOGIN_MS = 10 * 60_000;

/** Who guesses, and from where. */
interface Guesser {
  userId: string;
  client: Client;
}

/**
 * Checks again that it is the account's owner who asks: the password, and a code where a second factor is on. For other
 * modules this is `StepUp` in `platform/step-up`.
 */
@Injectable()
export class StepUpService implements StepUpVerifier, OnModuleInit {
  constructor(
    @InjectModel(Session.name) private readonly sessions: Model<Session>,
    private readonly accounts: AccountsService,
    private readonly attempts: LoginAttempts,
    private readonly hasher: PasswordHasher,
    private readonly codes: MfaCodes,
    private readonly transactions: Transactions,
    private readonly audit: AuditService,
    private readonly stepUp: StepUp,
  ) {}

  onModuleInit(): void {
    this.stepUp.provide(this);
  }

  /**
   * @returns the account that was checked, after its code was used; what follows makes sure it is still unchanged
   * @throws StepUpRequiredError, InvalidCredentialsError, UnauthenticatedError; ProblemError `RATE_LIMITED`
   */
  async verify({ user, proof, client }: StepUpRequest): Promise<Account> {
    const account = await this.accounts.get(user.userId);
    const methods = methodsOf(account);
    const { password, code } = proof;
    const isComplete = methods.length > 0 ? methods.every((each) => proof[each] !== undefined) : this.isRecent(user);
    if (!(await isComplete)) throw new StepUpRequiredError(methods);
    if (methods.includes('password')) await this.checkPassword(account, password as string, client);
    return methods.includes('code') ? await this.useCode(account, code as string, client) : account;
  }

  /** @throws InvalidCredentialsError; ProblemError `RATE_LIMITED` after too many wrong ones */
  async checkPassword(account: Account, password: string, client: Client): Promise<void> {
    await this.count('password', { userId: String(account._id), client }, async () => {
      if ((await this.hasher.verify(account.passwordHash, password)) === 'wrong') {
        throw new InvalidCredentialsError('The password is wrong.');
      }
    });
  }

  /**
   * Counts and audits the failures of a check of a secret.
   *
   * @param check throws InvalidCredentialsError where the secret is wrong
   * @throws what `check` throws; ProblemError `RATE_LIMITED` after too many failures
   */
  async count<T>(kind: SecretKind, { userId, client }: Guesser, check: () => Promise<T>): Promise<T> {
    return await this.attempts.stepUp(kind, userId, check).catch(async (error: unknown) => {
      if (error instanceof InvalidCredentialsError) {
        await this.audit.record('step-up.failed', { actorId: userId, client, details: { method: kind } });
      }
      throw error;
    });
  }

  private async useCode(account: Account, code: string, client: Client): Promise<Account> {
    return await this.count('code', { userId: String(account._id), client }, () =>
      this.transactions.run((tx) => this.codes.use(account, code, tx)),
    );
  }

  private async isRecent(user: Principal): Promise<boolean> {
    if (!('sessionId' in user)) return false;
    const createdAt = { $gt: databaseDate(-RECENT_LOGIN_MS) };
    return (await this.sessions.exists({ _id: user.sessionId, user: user.userId, createdAt })) !== null;
  }
}

/** All that has to be proven for this account. */
function methodsOf({ passwordHash, mfa }: Account): SecretKind[] {
  return [...(passwordHash ? (['password'] as const) : []), ...(mfa ? (['code'] as const) : [])];
}
