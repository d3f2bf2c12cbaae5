import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, Types } from 'mongoose';
import { UnauthenticatedError, ValidationFailedError } from '../../common/errors/problem.js';
import type { Client } from '../../common/http/client.js';
import { Environment } from '../../config/environment.js';
import { AccountRegisteredEvent, SessionStartedEvent } from '../../contracts/auth.events.js';
import type { Role } from '../../contracts/role.js';
import { isDuplicateKey } from '../../platform/database/duplicate-key.js';
import { Transactions } from '../../platform/database/transactions.js';
import { Outbox } from '../../platform/messaging/outbox.js';
import { AccessTokens } from './access-tokens.js';
import { EmailTakenError, InvalidCredentialsError } from './auth.errors.js';
import type { LoginDto, RegisterDto } from './dto/auth-requests.dto.js';
import type { TokensResponseDto } from './dto/tokens-response.dto.js';
import { EmailVerificationService } from './email-verification.service.js';
import { PasswordHasher } from './password-hasher.js';
import { Account } from './schemas/account.schema.js';
import { Email } from './schemas/email.schema.js';
import { type SessionGrant, SessionsService } from './sessions.service.js';

/** Registering, logging in, and what follows from it. */
@Injectable()
export class AuthService {
  constructor(
    @InjectModel(Account.name) private readonly accounts: Model<Account>,
    @InjectModel(Email.name) private readonly emails: Model<Email>,
    private readonly transactions: Transactions,
    private readonly outbox: Outbox,
    private readonly hasher: PasswordHasher,
    private readonly sessions: SessionsService,
    private readonly verification: EmailVerificationService,
    private readonly accessTokens: AccessTokens,
    private readonly environment: Environment,
  ) {}

  /** @throws EmailTakenError */
  async register(registration: RegisterDto, client: Client): Promise<TokensResponseDto> {
    const passwordHash = await this.hashNewPassword(registration);
    return await this.transactions.run(async (transaction) => {
      const account = await this.createAccount({ ...registration, passwordHash, role: 'user' }, transaction);
      await this.verification.request(account, transaction);
      return this.toTokens(account, await this.sessions.start(account._id, client, transaction));
    });
  }

  /**
   * Creates an administrator whose address counts as verified (an operator vouches for it).
   *
   * @throws EmailTakenError
   */
  async registerAdmin(registration: RegisterDto): Promise<void> {
    const passwordHash = await this.hashNewPassword(registration);
    await this.transactions.run(async (transaction) => {
      await this.createAccount({ ...registration, passwordHash, role: 'admin', emailVerified: true }, transaction);
    });
  }

  /** @throws InvalidCredentialsError */
  async login({ email, password }: LoginDto, client: Client): Promise<TokensResponseDto> {
    const owner = await this.emails.findById(normaliseEmail(email)).lean();
    const account = owner && (await this.accounts.findById(owner.account).lean());
    if (!(await this.hasher.verify(account?.passwordHash, password)) || !account) throw new InvalidCredentialsError();
    return await this.transactions.run(async (transaction) => {
      const grant = await this.sessions.start(account._id, client, transaction);
      const { _id, createdAt } = grant.session;
      await this.outbox.add(
        transaction,
        new SessionStartedEvent(String(account._id), {
          sessionId: String(_id),
          startedAt: createdAt.toISOString(),
          ...client,
        }),
      );
      return this.toTokens(account, grant);
    });
  }

  /** @throws UnauthenticatedError, RefreshTokenReusedError */
  async refresh(refreshToken: string): Promise<TokensResponseDto> {
    const grant = await this.sessions.refresh(refreshToken);
    const account = await this.accounts.findById(grant.session.user).lean();
    if (!account) throw new UnauthenticatedError();
    return this.toTokens(account, grant);
  }

  /** Applies a newer name from the profile; an older one is ignored. */
  async copyProfile(id: string, name: string, profileVersion: number, transaction: ClientSession): Promise<void> {
    await this.accounts.updateOne(
      { _id: id, profileVersion: { $lt: profileVersion } },
      { $set: { name, profileVersion } },
      { session: transaction },
    );
  }

  private async hashNewPassword({ email, password }: RegisterDto): Promise<string> {
    if (password.toLowerCase() === email.toLowerCase()) {
      throw new ValidationFailedError([{ field: 'password', message: 'must not be the email address' }]);
    }
    return await this.hasher.hash(password);
  }

  private async createAccount(
    {
      name,
      email,
      passwordHash,
      role,
      emailVerified = false,
    }: { name: string; email: string; passwordHash: string; role: Role; emailVerified?: boolean },
    transaction: ClientSession,
  ): Promise<Account> {
    const address = normaliseEmail(email);
    const _id = new Types.ObjectId();
    await this.emails.create([{ _id: address, account: _id }], { session: transaction }).catch((error: unknown) => {
      throw isDuplicateKey(error) ? new EmailTakenError() : error;
    });
    const [created] = await this.accounts.create([{ _id, email: address, emailVerified, name, passwordHash, role }], {
      session: transaction,
    });
    const account = (created as NonNullable<typeof created>).toObject();
    await this.outbox.add(
      transaction,
      new AccountRegisteredEvent(String(_id), {
        name,
        email: address,
        emailVerified,
        role,
        registeredAt: account.createdAt.toISOString(),
      }),
    );
    return account;
  }

  private toTokens(account: Account, { session, refreshToken }: SessionGrant): TokensResponseDto {
    const { _id, name, email, role, emailVerified, createdAt } = account;
    return {
      user: { id: String(_id), name, email, role, emailVerified, createdAt: createdAt.toISOString() },
      tokenType: 'Bearer',
      accessToken: this.accessTokens.issue(_id, session._id, role),
      refreshToken,
      expiresIn: this.environment.ACCESS_TOKEN_TTL_SECONDS,
    };
  }
}

/** Addresses are compared without case. */
function normaliseEmail(email: string): string {
  return email.toLowerCase();
}
