import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import {
  AccountCommandEvent,
  AuditedActionEvent,
  ProfileChangedEvent,
  RoleChangedEvent,
  UserDeletedEvent,
} from '../../contracts/users.events.js';
import { EventHandler, type EventOf } from '../../platform/messaging/event-handler.decorator.js';
import { PersonalData } from '../../platform/personal-data/personal-data.js';
import { AccountCommandsService } from './account-commands.service.js';
import { AccountLifecycleService } from './account-lifecycle.service.js';
import { AccountsService } from './accounts.service.js';
import { AuditService, auditContext } from './audit.service.js';

@Injectable()
export class AuthListener {
  constructor(
    private readonly accounts: AccountsService,
    private readonly commands: AccountCommandsService,
    private readonly lifecycle: AccountLifecycleService,
    private readonly audit: AuditService,
    private readonly personalData: PersonalData,
  ) {}

  @EventHandler(ProfileChangedEvent)
  async onProfileChanged({ subject, data }: EventOf<ProfileChangedEvent>, tx: ClientSession): Promise<void> {
    await this.accounts.copyName(subject, data.name, data.version, tx);
  }

  @EventHandler(AccountCommandEvent)
  async onAccountCommand({ subject, data }: EventOf<AccountCommandEvent>, tx: ClientSession): Promise<void> {
    await this.commands.apply(subject, data, tx);
  }

  @EventHandler(AuditedActionEvent)
  async onAuditedAction({ data, time }: EventOf<AuditedActionEvent>, tx: ClientSession): Promise<void> {
    const { action, actor, details } = data;
    // The address and agent of an erased person are not stored again.
    const isErased = await this.personalData.isErased(actor.actorId, tx);
    const { client, ...who } = auditContext(actor);
    const at = new Date(time);
    await this.audit.record(action, { ...who, ...(!isErased && { client }), details, at }, tx);
  }

  @EventHandler(RoleChangedEvent)
  async onRoleChanged({ subject, data }: EventOf<RoleChangedEvent>, tx: ClientSession): Promise<void> {
    await this.commands.applyRole(subject, data, tx);
  }

  @EventHandler(UserDeletedEvent)
  async onUserDeleted({ subject, data }: EventOf<UserDeletedEvent>, tx: ClientSession): Promise<void> {
    await this.lifecycle.eraseDeleted(subject, data, tx);
  }
}
