import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import type { Principal, SessionPrincipal } from '../../common/auth/principal.js';
import { UnauthenticatedError } from '../../common/errors/problem.js';
import type { Client } from '../../common/http/client.js';
import { addressKey } from '../../common/validation/mail-address.js';
import {
  EmailChangedEvent,
  EmailChangeRequestedEvent,
  EmailVerificationRequestedEvent,
  EmailVerifiedEvent,
} from '../../contracts/auth.events.js';
import { Transactions } from '../../platform/database/transactions.js';
import { OneTimeSecrets } from '../../platform/messaging/one-time-secrets.js';
import { Outbox } from '../../platform/messaging/outbox.js';
import { AccountsService } from './accounts.service.js';
import { AuditService } from './audit.service.js';
import { EmailTakenError, InvalidTokenError } from './auth.errors.js';
import type { ChangeEmailDto, VerifyEmailDto } from './dto/auth-requests.dto.js';
import { MailQuotas } from './mail-quotas.js';
import { OneTimeTokens } from './one-time-tokens.js';
import type { Account } from './schemas/account.schema.js';
import type { TokenPurpose } from './schemas/one-time-token.schema.js';
import { StepUpService } from './step-up.service.js';

const LINKS: TokenPurpose[] = ['email-verification', 'email-change'];

/** Verifies addresses, and moves accounts to other ones. */
@Injectable()
export class EmailAddressesService {
  constructor(
    private readonly accounts: AccountsService,
    private readonly stepUp: StepUpService,
    private readonly tokens: OneTimeTokens,
    private readonly quotas: MailQuotas,
    private readonly transactions: Transactions,
    private readonly outbox: Outbox,
    private readonly secrets: OneTimeSecrets,
    private readonly audit: AuditService,
  ) {}

  /** Mails a link that verifies the account's address, once the transaction is committed, as far as `MailQuotas` allows. */
  async requestVerification(account: Pick<Account, '_id' | 'email'>, tx: ClientSession): Promise<void> {
    if (!(await this.quotas.takeForVerification(account.email, tx))) return;
    await this.mailLink('email-verification', account, account.email, account.email, tx);
  }

  /** Mails another link, as far as `MailQuotas` allows. Does nothing beyond that, or if the address is verified. */
  async resend(userId: string): Promise<void> {
    await this.transactions.run(async (tx) => {
      const account = await this.accounts.get(userId, tx);
      if (!account.emailVerified) await this.requestVerification(account, tx);
    });
  }

  /** @throws what a step-up throws, also where a new password was set meanwhile; EmailTakenError */
  async requestChange(user: SessionPrincipal, { email, ...proof }: ChangeEmailDto, client: Client): Promise<void> {
    const { userId } = user;
    const account = await this.stepUp.verify({ user, proof, client });
    const newEmail = addressKey(email);
    if (await this.accounts.isEmailTaken(email)) throw new EmailTakenError();
    await this.transactions.run(async (tx) => {
      await this.accounts.assertUnchanged(account, {}, tx);
      if (!(await this.quotas.takeForChange(userId, tx))) return;
      if (!(await this.quotas.takeForVerification(newEmail, tx))) return;
      await this.mailLink('email-change', account, newEmail, email.toLowerCase(), tx);
      await this.outbox.add([new EmailChangeRequestedEvent(userId, { email: account.email, newEmail })], tx);
      await this.audit.record('email.change-requested', { actorId: userId, client }, tx);
    });
  }

  /**
   * Follows a link: the account's address is verified, or moved to the one that the link was sent to. The owner of
   * the mailbox may not be the person who set the account up, so the link alone is not enough.
   *
   * @param user who is logged in, if anybody
   * @throws InvalidTokenError for a token that is unknown, expired, used, of another account than the session's, or of an
   * address the account left
   * @throws UnauthenticatedError with neither a session nor a password; InvalidCredentialsError for a wrong password;
   * ProblemError `RATE_LIMITED`; a token that was refused for one of these still works
   * @throws EmailTakenError where another account has taken the new address meanwhile
   */
  async confirm({ token, password }: VerifyEmailDto, by: Principal | undefined, client: Client): Promise<void> {
    const owner = await this.accounts.get((await this.tokens.get(token, LINKS)).user);
    await this.assertOwner(owner, password, by, client);
    await this.transactions.run(async (tx) => {
      const { purpose, user, email } = await this.tokens.consume(token, LINKS, tx);
      const account = await this.accounts.assertUnchanged(owner, {}, tx);
      const id = String(user);
      const version = account.version + 1;
      if (purpose === 'email-change') {
        await this.accounts.changeEmail(account, email, tx);
        await this.tokens.remove(user, ['email-change', 'password-reset'], tx);
        await this.outbox.add([new EmailChangedEvent(id, { email: addressKey(email), version })], tx);
        await this.audit.record('email.changed', { actorId: id, client }, tx);
      } else {
        if (addressKey(account.email) !== addressKey(email)) throw new InvalidTokenError();
        await this.accounts.update(account, { emailVerified: true }, tx);
        await this.outbox.add([new EmailVerifiedEvent(id, { email, version })], tx);
        await this.audit.record('email.verified', { actorId: id, client }, tx);
      }
    });
  }

  private async assertOwner(
    account: Account,
    password: string | undefined,
    by: Principal | undefined,
    client: Client,
  ): Promise<void> {
    const sessionOf = by && 'sessionId' in by ? by.userId : undefined;
    if (sessionOf === String(account._id)) return;
    if (password !== undefined) return await this.stepUp.checkPassword(account, password, client);
    if (sessionOf !== undefined) throw new InvalidTokenError();
    throw new UnauthenticatedError('Log in to the account of this address, or send its password along.');
  }

  /** @param spelling of the address, as the account is to claim it */
  private async mailLink(
    purpose: 'email-verification' | 'email-change',
    { _id }: Pick<Account, '_id'>,
    email: string,
    spelling: string,
    tx: ClientSession,
  ): Promise<void> {
    const { token, expiresAt } = await this.tokens.create({ purpose, user: _id, email: spelling }, tx);
    const userId = String(_id);
    const message = { userId, event: 'account.email-verification', to: email } as const;
    await this.outbox.add(
      [
        new EmailVerificationRequestedEvent(userId, {
          email,
          token: await this.secrets.encrypt(token, message),
          expiresAt: expiresAt.toISOString(),
          ...(purpose === 'email-change' && { movesAccount: true }),
        }),
      ],
      tx,
    );
  }
}
