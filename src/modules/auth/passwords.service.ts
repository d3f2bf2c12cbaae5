import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { ClientSession, Model } from 'mongoose';
import type { SessionPrincipal } from '../../common/auth/principal.js';
import type { Client } from '../../common/http/client.js';
import { addressKey } from '../../common/validation/mail-address.js';
import { EmailVerifiedEvent, PasswordChangedEvent, PasswordResetRequestedEvent } from '../../contracts/auth.events.js';
import { ApiKeys } from '../../platform/authentication/api-keys.js';
import { databaseDate } from '../../platform/database/database-clock.js';
import { Transactions } from '../../platform/database/transactions.js';
import { OneTimeSecrets } from '../../platform/messaging/one-time-secrets.js';
import { Outbox } from '../../platform/messaging/outbox.js';
import { WorkHandler } from '../../platform/work/work-handler.decorator.js';
import { WorkQueues } from '../../platform/work/work-queues.js';
import { AccountsService } from './accounts.service.js';
import { AuditService } from './audit.service.js';
import { InvalidTokenError } from './auth.errors.js';
import type { ChangePasswordDto } from './dto/auth-requests.dto.js';
import { LoginAttempts } from './login-attempts.js';
import { MailQuotas } from './mail-quotas.js';
import { OneTimeTokens } from './one-time-tokens.js';
import { PasswordHasher } from './password-hasher.js';
import { PasswordPolicy } from './password-policy/password-policy.js';
import { type Account, NOT_PENDING } from './schemas/account.schema.js';
import { PasswordResetRequest } from './schemas/password-reset-request.schema.js';
import { SessionsService } from './sessions.service.js';
import { StepUpService } from './step-up.service.js';

const QUEUE = 'password-reset';
const CONCURRENCY = 2;
const MAX_ATTEMPTS = 20;

/** Forgotten and changed passwords. */
@Injectable()
export class PasswordsService {
  constructor(
    @InjectModel(PasswordResetRequest.name) private readonly requests: Model<PasswordResetRequest>,
    private readonly accounts: AccountsService,
    private readonly tokens: OneTimeTokens,
    private readonly quotas: MailQuotas,
    private readonly sessions: SessionsService,
    private readonly apiKeys: ApiKeys,
    private readonly attempts: LoginAttempts,
    private readonly stepUp: StepUpService,
    private readonly policy: PasswordPolicy,
    private readonly hasher: PasswordHasher,
    private readonly transactions: Transactions,
    private readonly outbox: Outbox,
    private readonly secrets: OneTimeSecrets,
    private readonly audit: AuditService,
    private readonly work: WorkQueues,
  ) {}

  /** Stores the request, whether there is such an account or not. It is processed later, so both take the same time. */
  async forgot(email: string, client: Client): Promise<void> {
    await this.requests.create({ email: addressKey(email), ...client });
    this.work.nudge(QUEUE);
  }

  /**
   * Sets a new password by a mailed token. Control of the mailbox proves the account's address, so it is verified.
   * Sessions, API keys and pending changes of the address end. Of an address that was never verified, everything else
   * that somebody may have set up ends, too: the second factor here; phone and push subscriptions by the event. Of a
   * verified account the mail lists what remains.
   *
   * @throws InvalidTokenError, ValidationFailedError
   */
  async reset(token: string, password: string, client: Client): Promise<void> {
    await this.policy.assertAllowed(password, 'password');
    const passwordHash = await this.hasher.hash(password);
    const account = await this.transactions.run(async (tx) => {
      const { user, email: sentTo } = await this.tokens.consume(token, ['password-reset'], tx);
      const account = await this.accounts.get(user, tx);
      if (addressKey(account.email) !== addressKey(sentTo)) throw new InvalidTokenError();
      this.policy.assertNotDerived(password, 'password', account);
      const id = String(user);
      await this.accounts.update(
        account,
        { passwordHash, emailVerified: true, ...NOT_PENDING, ...(account.emailVerified ? {} : { mfa: null }) },
        tx,
      );
      await this.apiKeys.removeAll(id, tx);
      if (!account.emailVerified) {
        const verified = new EmailVerifiedEvent(id, { email: account.email, version: account.version + 1 });
        await this.outbox.add([verified], tx);
      }
      await this.endOthers(account, { reset: true }, tx);
      await this.audit.record('password.reset', { actorId: id, client }, tx);
      return account;
    });
    await this.attempts.unlock(account);
  }

  /**
   * Changes the password, and ends all other sessions and, unless they are kept, the API keys.
   *
   * @throws InvalidCredentialsError, ValidationFailedError; ProblemError `RATE_LIMITED`
   */
  async change(
    { userId, sessionId }: SessionPrincipal,
    { currentPassword, newPassword, keepApiKeys = false }: ChangePasswordDto,
    client: Client,
  ): Promise<void> {
    const account = await this.accounts.get(userId);
    await this.stepUp.checkPassword(account, currentPassword, client);
    await this.policy.assertAllowed(newPassword, 'newPassword', account);
    const passwordHash = await this.hasher.hash(newPassword);
    await this.transactions.run(async (tx) => {
      await this.accounts.update(account, { passwordHash, ...NOT_PENDING }, tx);
      if (!keepApiKeys) await this.apiKeys.removeAll(userId, tx);
      await this.endOthers(account, { reset: false, exceptSessionId: sessionId }, tx);
      await this.audit.record('password.changed', { actorId: userId, client }, tx);
    });
  }

  /** Ends what a new password ends, and publishes it. @param account as it was before */
  private async endOthers(
    { _id, emailVerified: addressWasVerified, mfa: before }: Account,
    { reset, exceptSessionId }: { reset: boolean; exceptSessionId?: string },
    tx: ClientSession,
  ): Promise<void> {
    const id = String(_id);
    if (exceptSessionId === undefined) await this.sessions.endAll(id, tx);
    else await this.sessions.endOthers(id, exceptSessionId, tx);
    await this.tokens.remove(_id, ['password-reset', 'mfa-login', 'email-change'], tx);
    const changedAt = databaseDate().toISOString();
    const remains = before && !(reset && !addressWasVerified) ? before : null;
    const mfa = { enabled: remains !== null, since: remains?.enabledAt?.toISOString() ?? null };
    await this.outbox.add([new PasswordChangedEvent(id, { changedAt, reset, addressWasVerified, mfa })], tx);
  }

  @WorkHandler({
    queue: QUEUE,
    items: PasswordResetRequest,
    concurrency: CONCURRENCY,
    maxAttempts: MAX_ATTEMPTS,
    whenDone: 'delete',
  })
  async handleForgotten({ email, ip, userAgent }: PasswordResetRequest): Promise<void> {
    const account = await this.accounts.findByEmail(email);
    if (!account) return;
    await this.transactions.run(async (tx) => {
      if (!(await this.quotas.takeForReset(account.email, tx))) return;
      const { _id: user, email: to } = account;
      const { token, expiresAt } = await this.tokens.create({ purpose: 'password-reset', user, email: to }, tx);
      const userId = String(user);
      const sealed = await this.secrets.encrypt(token, { userId, event: 'account.password-reset', to });
      const data = { email: to, token: sealed, expiresAt: expiresAt.toISOString() };
      await this.outbox.add([new PasswordResetRequestedEvent(userId, data)], tx);
      const details = { userId };
      await this.audit.record('password.reset-requested', { client: { ip, userAgent }, details }, tx);
    });
  }
}
