import { Injectable } from '@nestjs/common';
import type { Client } from '../../common/http/client.js';
import { SessionStartedEvent } from '../../contracts/auth.events.js';
import { databaseDate } from '../../platform/database/database-clock.js';
import { Transactions } from '../../platform/database/transactions.js';
import { Outbox } from '../../platform/messaging/outbox.js';
import { Revocations } from '../../platform/revocation/revocations.js';
import { AccessTokens } from './access-tokens.js';
import { AccountsService } from './accounts.service.js';
import { AuditService } from './audit.service.js';
import { AccountLockedError, InvalidCredentialsError, InvalidTokenError, MfaRequiredError } from './auth.errors.js';
import type { LoginDto, LoginMfaDto, RegisterDto } from './dto/auth-requests.dto.js';
import type { TokensResponseDto } from './dto/tokens-response.dto.js';
import { DeviceTokens } from './device-tokens.js';
import { EmailAddressesService } from './email-addresses.service.js';
import { type AttemptSource, LoginAttempts } from './login-attempts.js';
import { MfaCodes } from './mfa-codes.js';
import { OneTimeTokens } from './one-time-tokens.js';
import { PasswordHasher } from './password-hasher.js';
import { PasswordPolicy } from './password-policy/password-policy.js';
import type { Account } from './schemas/account.schema.js';
import { type SessionGrant, SessionsService } from './sessions.service.js';

const MFA_TRIES = 5;
const LOGIN_EXPIRED = 'The log-in has expired: begin again with the password.';

/** Registering, logging in, and going on. */
@Injectable()
export class AuthService {
  constructor(
    private readonly accounts: AccountsService,
    private readonly transactions: Transactions,
    private readonly outbox: Outbox,
    private readonly policy: PasswordPolicy,
    private readonly hasher: PasswordHasher,
    private readonly attempts: LoginAttempts,
    private readonly devices: DeviceTokens,
    private readonly sessions: SessionsService,
    private readonly codes: MfaCodes,
    private readonly tokens: OneTimeTokens,
    private readonly emails: EmailAddressesService,
    private readonly accessTokens: AccessTokens,
    private readonly audit: AuditService,
    private readonly revocations: Revocations,
  ) {}

  /** @throws EmailTakenError; ValidationFailedError for a weak password */
  async register({ name, email, password }: RegisterDto, client: Client): Promise<TokensResponseDto> {
    await this.policy.assertAllowed(password, 'password', { name, email });
    const passwordHash = await this.hasher.hash(password);
    const [account, grant] = await this.transactions.run(async (tx) => {
      const input = { name, email, passwordHash, role: 'user', emailVerified: false } as const;
      const created = await this.accounts.create(input, tx);
      await this.emails.requestVerification(created, tx);
      await this.audit.record('account.registered', { actorId: created._id, client }, tx);
      return [created, await this.sessions.start(created._id, client, tx)] as const;
    });
    return await this.toTokens(account, grant);
  }

  /**
   * Creates an administrator whose address counts as verified (an operator vouches for it).
   *
   * @throws EmailTakenError; ValidationFailedError for a weak password
   */
  async registerAdmin({ name, email, password }: RegisterDto): Promise<void> {
    await this.policy.assertAllowed(password, 'password', { name, email });
    const passwordHash = await this.hasher.hash(password);
    await this.transactions.run(async (tx) => {
      const input = { name, email, passwordHash, role: 'admin', emailVerified: true } as const;
      const { _id } = await this.accounts.create(input, tx);
      await this.audit.record('account.registered', { details: { userId: String(_id), role: 'admin' } }, tx);
    });
  }

  /** @throws InvalidCredentialsError, AccountLockedError, AccountSuspendedError, MfaRequiredError; ProblemError `RATE_LIMITED` */
  async login({ email, password, deviceToken }: LoginDto, client: Client): Promise<TokensResponseDto> {
    const account = await this.accounts.findByEmail(email);
    const device = this.devices.verify(deviceToken, account);
    return await this.attempt({ email, ip: client.ip, device }, account, client, async () => {
      const match = await this.hasher.verify(account?.passwordHash, password);
      if (match === 'wrong' || !account) {
        await this.audit.record('login.failed', { client, details: account ? { userId: String(account._id) } : {} });
        throw new InvalidCredentialsError();
      }
      await this.revocations.assertActive(String(account._id));
      if (match === 'outdated') await this.accounts.rehash(account, password);
      if (!account.mfa) return await this.startSession(account, client);
      const { token } = await this.transactions.run(async (tx) => {
        await this.accounts.assertUnchanged(account, {}, tx);
        return await this.tokens.create({ purpose: 'mfa-login', user: account._id, email: account.email, device }, tx);
      });
      throw new MfaRequiredError(token);
    });
  }

  /** The second step of a log-in. @throws InvalidCredentialsError, AccountLockedError, ProblemError `RATE_LIMITED` */
  async loginMfa({ mfaToken, code }: LoginMfaDto, client: Client): Promise<TokensResponseDto> {
    const token = await this.tokens.reserveTry(mfaToken, 'mfa-login', MFA_TRIES);
    if (!token) throw new InvalidCredentialsError(LOGIN_EXPIRED);
    const account = await this.accounts.get(token.user);
    return await this.attempt(
      { email: token.email, ip: client.ip, device: token.device },
      account,
      client,
      async () => {
        return await this.startSession(account, client, { mfaToken, code }).catch(async (error: unknown) => {
          // Used up by another request at the same moment.
          if (error instanceof InvalidTokenError) throw new InvalidCredentialsError(LOGIN_EXPIRED);
          if (error instanceof InvalidCredentialsError) {
            await this.audit.record('login.failed', { client, details: { userId: String(account._id) } });
          }
          throw error;
        });
      },
    );
  }

  /** @throws UnauthenticatedError, RefreshTokenReusedError */
  async refresh(refreshToken: string, client: Client): Promise<TokensResponseDto> {
    const grant = await this.sessions.refresh(refreshToken, client);
    return await this.toTokens(await this.accounts.get(grant.session.user), grant);
  }

  private async attempt<T>(
    source: AttemptSource,
    account: Account | null,
    client: Client,
    run: () => Promise<T>,
  ): Promise<T> {
    return await this.attempts.run(source, run).catch(async (error: unknown) => {
      if (error instanceof AccountLockedError) {
        await this.audit.record('login.locked', { client, details: account ? { userId: String(account._id) } : {} });
      }
      throw error;
    });
  }

  /** @param secondFactor what proves it, where the account has one; used up in the same transaction */
  private async startSession(
    account: Account,
    client: Client,
    secondFactor?: { mfaToken: string; code: string },
  ): Promise<TokensResponseDto> {
    const userId = String(account._id);
    // Before there is a session: a failure afterwards would leave one that nobody has.
    await this.revocations.assertActiveNow(userId);
    const started = await this.transactions.run(async (tx) => {
      const current = await this.accounts.assertUnchanged(account, { lastLoginAt: databaseDate() }, tx);
      if (secondFactor) {
        await this.tokens.consume(secondFactor.mfaToken, ['mfa-login'], tx);
        await this.codes.use(account, secondFactor.code, tx);
      }
      const grant = await this.sessions.start(account._id, client, tx);
      const sessionId = String(grant.session._id);
      const startedAt = grant.session.createdAt.toISOString();
      await this.outbox.add([new SessionStartedEvent(userId, { sessionId, startedAt, ...client })], tx);
      await this.audit.record('login.succeeded', { actorId: userId, client, details: { sessionId } }, tx);
      return { account: current, grant };
    });
    return await this.toTokens(started.account, started.grant);
  }

  /** To be called after `assertActiveNow`, which reads the feed that the role and the time come from. */
  private async toTokens(copy: Account, { session, refreshToken }: SessionGrant): Promise<TokensResponseDto> {
    const { _id, name, email, emailVerified, createdAt } = copy;
    // The copy may be older than the users module's latest decision, which is in the feed.
    const role = this.revocations.latestRole(String(_id), { role: copy.role, version: copy.roleVersion });
    const [copied, decided] = [copy.tokensValidFrom, this.revocations.tokensValidFrom(String(_id))];
    const tokensValidFrom = copied && decided && copied > decided ? copied : (decided ?? copied);
    return {
      user: { id: String(_id), name, email, role, emailVerified, createdAt: createdAt.toISOString() },
      tokenType: 'Bearer',
      ...(await this.accessTokens.issue({ ...copy, role, tokensValidFrom }, session)),
      refreshToken,
      deviceToken: this.devices.issue(copy, String(session._id)),
    };
  }
}
