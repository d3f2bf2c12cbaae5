import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { MfaChangedEvent } from '../../contracts/auth.events.js';
import type { AccountCommandEvent, RoleChangedEvent } from '../../contracts/users.events.js';
import { ApiKeys } from '../../platform/authentication/api-keys.js';
import { databaseDate } from '../../platform/database/database-clock.js';
import { Outbox } from '../../platform/messaging/outbox.js';
import { PersonalData } from '../../platform/personal-data/personal-data.js';
import { nextTokenTime, Revocations } from '../../platform/revocation/revocations.js';
import { AccountLifecycleService } from './account-lifecycle.service.js';
import { AccountsService } from './accounts.service.js';
import { type AuditContext, AuditService, auditContext } from './audit.service.js';
import { NOT_PENDING } from './schemas/account.schema.js';
import { SessionsService } from './sessions.service.js';

/** Applies decisions of the users module about accounts. The users module has revoked the access already. */
@Injectable()
export class AccountCommandsService {
  constructor(
    private readonly accounts: AccountsService,
    private readonly lifecycle: AccountLifecycleService,
    private readonly sessions: SessionsService,
    private readonly apiKeys: ApiKeys,
    private readonly revocations: Revocations,
    private readonly outbox: Outbox,
    private readonly audit: AuditService,
    private readonly personalData: PersonalData,
  ) {}

  /** Applies an administrator's decision. Of two decisions the newer one counts, whichever comes first. */
  async apply(userId: string, data: AccountCommandEvent['data'], tx: ClientSession): Promise<void> {
    const { command, account, tokensValidFrom, actor } = data;
    const { actorId } = actor;
    const context: AuditContext = { ...auditContext(actor), details: { userId, ...data.details } };
    switch (command) {
      case 'update-profile':
        return await this.audit.record('user.changed', context, tx);
      case 'set-role':
        return await this.applyRole(userId, { ...account, actorId, actor, tokensValidFrom }, tx);
      case 'suspend':
      case 'unsuspend':
        await this.accounts.copySuspension(userId, account, tx);
        return await this.audit.record(`user.${command}ed`, await this.withoutErased(userId, context, tx), tx);
      case 'end-sessions':
        await this.accounts.endTokensBefore(userId, new Date(tokensValidFrom as string), tx);
        await this.sessions.endAll(userId, tx);
        return await this.audit.record('sessions.ended', context, tx);
      case 'remove-mfa':
        return await this.removeMfa(userId, context, tx);
      case 'delete':
        return await this.lifecycle.eraseDeleted(userId, { actorId, actor }, tx);
    }
  }

  /** A reason is about the person: one that comes late must not return once the person is erased. */
  private async withoutErased(userId: string, context: AuditContext, tx: ClientSession): Promise<AuditContext> {
    const { reason, ...others } = context.details ?? {};
    if (reason === undefined || !(await this.personalData.isErased(userId, tx))) return context;
    return { ...context, details: others };
  }

  /**
   * Applies a new role. A users module of an earlier release leaves it to this module to end the access tokens that
   * carry the old one (`tokensValidFrom` is missing); a token may be being made of the account as it was, so the time from
   * which tokens count then lies a little ahead.
   */
  async applyRole(
    userId: string,
    { role, version, actorId, actor, tokensValidFrom }: RoleChangedEvent['data'],
    tx: ClientSession,
  ): Promise<void> {
    const validFrom = tokensValidFrom ? new Date(tokensValidFrom) : nextTokenTime();
    if (!(await this.accounts.copyRole(userId, { role, version }, validFrom, tx))) return;
    await this.apiKeys.changeRole(userId, role, tx);
    if (!tokensValidFrom) await this.revocations.endTokensBefore(userId, validFrom, tx);
    const context = actor ? auditContext(actor) : { actorId };
    await this.audit.record('role.changed', { ...context, details: { userId, role } }, tx);
  }

  private async removeMfa(userId: string, context: AuditContext, tx: ClientSession): Promise<void> {
    const account = await this.accounts.find(userId, tx);
    if (!account?.mfa && !account?.pendingMfaSecret) return;
    await this.accounts.update(account, { mfa: null, ...NOT_PENDING }, tx);
    if (!account.mfa) return;
    const changedAt = databaseDate().toISOString();
    await this.outbox.add([new MfaChangedEvent(userId, { enabled: false, changedAt })], tx);
    await this.audit.record('mfa.disabled', context, tx);
  }
}
