import { Injectable } from '@nestjs/common';
import { type ClientSession, Types } from 'mongoose';
import type { SessionPrincipal } from '../../common/auth/principal.js';
import type { Client } from '../../common/http/client.js';
import { assertMatches, etagOf, NO_ETAG, type Precondition } from '../../common/http/etag.js';
import { AccountDeletedEvent } from '../../contracts/auth.events.js';
import type { UserDeletedEvent } from '../../contracts/users.events.js';
import { ApiKeys } from '../../platform/authentication/api-keys.js';
import { databaseDate } from '../../platform/database/database-clock.js';
import { Transactions } from '../../platform/database/transactions.js';
import { Outbox } from '../../platform/messaging/outbox.js';
import {
  ExportsPersonalData,
  PersonalData,
  type PersonalDataSource,
} from '../../platform/personal-data/personal-data.js';
import { ProfileVersions } from '../../platform/profile-versions/profile-versions.js';
import { Revocations } from '../../platform/revocation/revocations.js';
import type { StepUpDto } from '../../platform/step-up/step-up.dto.js';
import { AccountsService } from './accounts.service.js';
import { AuditService, auditContext } from './audit.service.js';
import { toApiKeyResponse, toSessionResponse } from './auth.mapper.js';
import { LoginAttempts } from './login-attempts.js';
import { OneTimeTokens } from './one-time-tokens.js';
import type { Account } from './schemas/account.schema.js';
import { SessionsService } from './sessions.service.js';
import { StepUpService } from './step-up.service.js';

/** Deletion of an account, and the export of its data. */
@ExportsPersonalData('auth')
@Injectable()
export class AccountLifecycleService implements PersonalDataSource {
  constructor(
    private readonly accounts: AccountsService,
    private readonly stepUp: StepUpService,
    private readonly sessions: SessionsService,
    private readonly apiKeys: ApiKeys,
    private readonly tokens: OneTimeTokens,
    private readonly attempts: LoginAttempts,
    private readonly personalData: PersonalData,
    private readonly revocations: Revocations,
    private readonly transactions: Transactions,
    private readonly outbox: Outbox,
    private readonly audit: AuditService,
    private readonly profileVersions: ProfileVersions,
  ) {}

  /**
   * @param precondition on the profile
   * @throws what a step-up throws, also where the account has changed meanwhile; LastAdminError; VersionMismatchError
   * @throws DependencyUnavailableError where there is a precondition and the profile's version can't be asked
   */
  async deleteOwn(user: SessionPrincipal, proof: StepUpDto, client: Client, precondition: Precondition): Promise<void> {
    const { userId } = user;
    const account = await this.stepUp.verify({ user, proof, client });
    await this.transactions.run(async (tx) => {
      const { role, roleVersion: version } = await this.accounts.assertUnchanged(account, {}, tx);
      await this.assertProfileMatches(userId, precondition, tx);
      // The copies here may be older than the users module's latest decisions, which are in the feed.
      const isAdmin = (id: string) =>
        this.revocations.isActive(id) && this.revocations.effectiveRole(id, 'admin') === 'admin';
      if (this.revocations.latestRole(userId, { role, version }) === 'admin')
        await this.accounts.assertNotLastAdmin(account, isAdmin, tx);
      await this.erase(account, tx);
      await this.audit.record('account.deleted', { actorId: userId, details: { userId } }, tx);
      await this.outbox.add([new AccountDeletedEvent(userId, { deletedAt: databaseDate().toISOString() })], tx);
    });
    await this.attempts.unlock(account);
  }

  /** Applies a deletion that the users module has decided. A second application changes nothing. */
  async eraseDeleted(
    userId: string,
    { actorId, actor }: Pick<UserDeletedEvent['data'], 'actorId' | 'actor'>,
    tx: ClientSession,
  ): Promise<void> {
    const account = await this.accounts.find(userId, tx);
    if (!account) return; // its owner deleted it here
    await this.erase(account, tx);
    const context = actor ? auditContext(actor) : { actorId };
    await this.audit.record('account.deleted', { ...context, details: { userId } }, tx);
  }

  async erasePersonalData(userId: string, tx: ClientSession): Promise<void> {
    await this.sessions.endAll(userId, tx);
    await this.apiKeys.removeAll(userId, tx);
    await this.tokens.removeAll(new Types.ObjectId(userId), tx);
    await this.audit.anonymise(userId, tx);
  }

  async exportPersonalData(userId: string): Promise<unknown> {
    const account = await this.accounts.find(userId);
    if (!account) return null;
    const { name, email, emailVerified, role, mfa, createdAt, lastLoginAt } = account;
    return {
      account: { id: userId, name, email, emailVerified, role, mfaEnabled: mfa !== null, createdAt, lastLoginAt },
      sessions: (await this.sessions.list(userId)).map((session) => toSessionResponse(session)),
      apiKeys: (await this.apiKeys.list(userId)).map(toApiKeyResponse),
      audit: this.audit.exportOf(userId),
    };
  }

  private async assertProfileMatches(userId: string, precondition: Precondition, tx: ClientSession): Promise<void> {
    if (precondition === 'any') return;
    const version = await this.profileVersions.find(userId, tx);
    // Without a version, the profile hasn't arrived yet.
    assertMatches(precondition, version === null ? NO_ETAG : etagOf({ version }));
  }

  private async erase(account: Account, tx: ClientSession): Promise<void> {
    const userId = String(account._id);
    await this.accounts.remove(account, tx);
    await this.erasePersonalData(userId, tx);
    await this.personalData.markErased(userId, tx);
  }
}
