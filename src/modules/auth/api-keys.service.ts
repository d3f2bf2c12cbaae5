import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import type { SessionPrincipal } from '../../common/auth/principal.js';
import { ValidationFailedError } from '../../common/errors/problem.js';
import type { Client } from '../../common/http/client.js';
import { assertMatches, NO_ETAG, type Precondition } from '../../common/http/etag.js';
import { ApiKeyCreatedEvent, ApiKeyExpiringEvent } from '../../contracts/auth.events.js';
import type { ApiKey } from '../../platform/authentication/api-key.schema.js';
import { ApiKeys } from '../../platform/authentication/api-keys.js';
import { API_KEY_LIFETIME_MS, announceExpiryAt } from '../../platform/authentication/api-key-expiry.js';
import { databaseNow } from '../../platform/database/database-clock.js';
import { Transactions } from '../../platform/database/transactions.js';
import { Outbox } from '../../platform/messaging/outbox.js';
import { RecurringJob } from '../../platform/work/recurring-job.decorator.js';
import { AccountsService } from './accounts.service.js';
import { AuditService } from './audit.service.js';
import { ApiKeyLimitError, ApiKeyNotFoundError } from './auth.errors.js';
import { toApiKeyResponse } from './auth.mapper.js';
import type { ApiKeyResponseDto, CreateApiKeyDto, CreatedApiKeyResponseDto } from './dto/api-key.dto.js';
import { SessionsService } from './sessions.service.js';
import { StepUpService } from './step-up.service.js';

const DAY_MS = 24 * 3_600_000;
const MAX_LIFETIME_MS = 365 * DAY_MS;
const MAX_KEYS = 25;
const ANNOUNCE_EVERY_MS = 10 * 60_000;
const ANNOUNCED_AT_ONCE = 500;
/** Usually the process that has changed the keys publishes it at once; this is for one that has ended meanwhile. */
const PUBLISH_EVERY_MS = 60_000;

/** The owner's side of API keys. */
@Injectable()
export class ApiKeysService {
  constructor(
    private readonly apiKeys: ApiKeys,
    private readonly accounts: AccountsService,
    private readonly stepUp: StepUpService,
    private readonly sessions: SessionsService,
    private readonly transactions: Transactions,
    private readonly outbox: Outbox,
    private readonly audit: AuditService,
  ) {}

  /**
   * @throws what a step-up throws; EmailUnverifiedError; ApiKeyLimitError; ValidationFailedError for an expiry in the past
   * or too far ahead; UnauthenticatedError where the session has just ended
   */
  async create(
    user: SessionPrincipal,
    { name, scopes, expiresAt, ...proof }: CreateApiKeyDto,
    client: Client,
  ): Promise<CreatedApiKeyResponseDto> {
    const { userId, sessionId } = user;
    const expiry = expiryOf(expiresAt);
    await this.accounts.assertVerified(userId);
    const account = await this.stepUp.verify({ user, proof, client });
    return await this.transactions.run(async (tx) => {
      // What a password reset, another role or a deletion ends must not come back by a request that was under way. It
      // also writes the account, so that of two keys that are created at once the second one counts the first.
      const { role } = await this.accounts.assertUnchanged(account, {}, tx);
      await this.sessions.assertOpen(userId, sessionId, tx);
      if ((await this.apiKeys.countValid(userId, tx)) >= MAX_KEYS) throw new ApiKeyLimitError(MAX_KEYS);
      const times = { expiresAt: expiry, announceExpiryAt: announceExpiryAt(expiry) };
      const { apiKey, key } = await this.apiKeys.create({ user: userId, name, scopes, role, ...times }, tx);
      const id = String(apiKey._id);
      const [createdAt, expires] = [apiKey.createdAt.toISOString(), expiry.toISOString()];
      const announced = { apiKeyId: id, name, createdAt, expiresAt: expires, ...client };
      await this.outbox.add([new ApiKeyCreatedEvent(userId, announced)], tx);
      await this.audit.record('api-key.created', { actorId: userId, client, details: { apiKeyId: id } }, tx);
      return { id, name, scopes, expiresAt: expires, key };
    });
  }

  async list(userId: string): Promise<ApiKeyResponseDto[]> {
    return (await this.apiKeys.list(userId)).map(toApiKeyResponse);
  }

  /** @throws ApiKeyNotFoundError */
  async remove(userId: string, id: string, client: Client, precondition: Precondition): Promise<void> {
    await this.transactions.run(async (tx) => {
      if (!(await this.apiKeys.remove(userId, id, tx))) throw new ApiKeyNotFoundError();
      assertMatches(precondition, NO_ETAG);
      await this.audit.record('api-key.removed', { actorId: userId, client, details: { apiKeyId: id } }, tx);
    });
  }

  /** Tells owners of keys that expire soon, and of those that have been given an expiry; each once. */
  @RecurringJob({ name: 'auth.announce-api-key-expiry', everyMs: ANNOUNCE_EVERY_MS })
  async announceExpiries(): Promise<void> {
    for (const apiKey of await this.apiKeys.findUnannounced(ANNOUNCED_AT_ONCE)) {
      await this.transactions.run((tx) => this.announceExpiry(apiKey, tx));
    }
  }

  @RecurringJob({ name: 'auth.publish-api-key-changes', everyMs: PUBLISH_EVERY_MS })
  async publishChanges(): Promise<void> {
    await this.apiKeys.publishChanges();
  }

  private async announceExpiry(apiKey: ApiKey, tx: ClientSession): Promise<void> {
    const { _id, user, name, expiresAt } = apiKey;
    const next = expiresAt && announceExpiryAt(expiresAt);
    if (!(await this.apiKeys.markAnnounced(apiKey, next, tx)) || !expiresAt) return;
    const announced = { apiKeyId: String(_id), name, expiresAt: expiresAt.toISOString() };
    await this.outbox.add([new ApiKeyExpiringEvent(String(user), announced)], tx);
  }
}

/** @throws ValidationFailedError */
function expiryOf(wanted: string | null | undefined): Date {
  const now = databaseNow();
  const expiry = wanted ? new Date(wanted) : new Date(now + API_KEY_LIFETIME_MS);
  const isPast = expiry.getTime() <= now;
  if (!isPast && expiry.getTime() <= now + MAX_LIFETIME_MS) return expiry;
  const message = isPast ? 'must be in the future' : 'must be at most one year from now';
  throw new ValidationFailedError([{ field: 'expiresAt', message }]);
}
