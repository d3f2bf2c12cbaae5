import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { type Actor, actorData } from '../../common/auth/actor.js';
import { type AuditedAction, AuditedActionEvent } from '../../contracts/users.events.js';
import { Outbox } from '../messaging/outbox.js';

/** Adds entries to the audit trail from outside the auth module, which keeps it: as events. */
@Injectable()
export class AuditedActions {
  constructor(private readonly outbox: Outbox) {}

  /**
   * @param details ids and names, never a secret or a personal datum
   * @param session of the transaction that carries out the action
   */
  async add(
    action: AuditedAction,
    actor: Actor,
    details: Record<string, string>,
    session: ClientSession,
  ): Promise<void> {
    const { userId } = actor.principal;
    await this.outbox.add(session, new AuditedActionEvent(userId, { action, actor: actorData(actor), details }));
  }
}
