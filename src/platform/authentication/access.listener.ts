import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { ApiKeyChangedEvent, ApiKeyUsedEvent, SessionsRevokedEvent } from '../../contracts/auth.events.js';
import { EventHandler, type EventOf } from '../messaging/event-handler.decorator.js';
import { Revocations } from '../revocation/revocations.js';
import { ApiKeys } from './api-keys.js';

/** Keeps copies of API keys and ended access for authentication, where the auth module uses another database. */
@Injectable()
export class AccessListener {
  constructor(
    private readonly revocations: Revocations,
    private readonly apiKeys: ApiKeys,
  ) {}

  @EventHandler(SessionsRevokedEvent)
  async onSessionsRevoked({ subject, data }: EventOf<SessionsRevokedEvent>, tx: ClientSession): Promise<void> {
    await this.revocations.record(subject, data, tx);
  }

  @EventHandler(ApiKeyChangedEvent)
  async onApiKeyChanged({ subject, data }: EventOf<ApiKeyChangedEvent>, tx: ClientSession): Promise<void> {
    await this.apiKeys.copy(subject, data, tx);
  }

  @EventHandler(ApiKeyUsedEvent)
  async onApiKeyUsed({ subject, data }: EventOf<ApiKeyUsedEvent>, tx: ClientSession): Promise<void> {
    await this.apiKeys.copyUse(subject, data.usedAt, tx);
  }
}
