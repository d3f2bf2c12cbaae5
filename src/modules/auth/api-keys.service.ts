import { Injectable } from '@nestjs/common';
import type { SessionPrincipal } from '../../common/auth/principal.js';
import { ValidationFailedError } from '../../common/errors/problem.js';
import type { Client } from '../../common/http/client.js';
import { ApiKeys } from '../../platform/authentication/api-keys.js';
import { Transactions } from '../../platform/database/transactions.js';
import { AccountsService } from './accounts.service.js';
import { AuditService } from './audit.service.js';
import { ApiKeyNotFoundError } from './auth.errors.js';
import { toApiKeyResponse } from './auth.mapper.js';
import type { ApiKeyResponseDto, CreateApiKeyDto, CreatedApiKeyResponseDto } from './dto/api-key.dto.js';
import { SessionsService } from './sessions.service.js';
import { StepUpService } from './step-up.service.js';

/** The owner's side of API keys. */
@Injectable()
export class ApiKeysService {
  constructor(
    private readonly apiKeys: ApiKeys,
    private readonly accounts: AccountsService,
    private readonly stepUp: StepUpService,
    private readonly sessions: SessionsService,
    private readonly transactions: Transactions,
    private readonly audit: AuditService,
  ) {}

  /**
   * @throws what a step-up throws; ValidationFailedError for an expiry in the past; UnauthenticatedError where the session
   * has just ended
   */
  async create(
    user: SessionPrincipal,
    { name, scopes, expiresAt, ...proof }: CreateApiKeyDto,
    client: Client,
  ): Promise<CreatedApiKeyResponseDto> {
    const { userId, sessionId } = user;
    const expiry = expiresAt ? new Date(expiresAt) : null;
    if (expiry && expiry.getTime() <= Date.now()) {
      throw new ValidationFailedError([{ field: 'expiresAt', message: 'must be in the future' }]);
    }
    const account = await this.stepUp.verify({ user, proof, client });
    return await this.transactions.run(async (transaction) => {
      // What a password reset, another role or a deletion ends must not come back by a request that was under way.
      const { role } = await this.accounts.assertUnchanged(account, transaction);
      await this.sessions.assertOpen(userId, sessionId, transaction);
      const input = { user: userId, name, scopes, role, expiresAt: expiry };
      const { apiKey, key } = await this.apiKeys.create(input, transaction);
      const id = String(apiKey._id);
      await this.audit.record('api-key.created', { actorId: userId, client, details: { apiKeyId: id } }, transaction);
      return { id, name, scopes, expiresAt: expiry?.toISOString() ?? null, key };
    });
  }

  async list(userId: string): Promise<ApiKeyResponseDto[]> {
    return (await this.apiKeys.list(userId)).map(toApiKeyResponse);
  }

  /** @throws ApiKeyNotFoundError */
  async remove(userId: string, id: string, client: Client): Promise<void> {
    await this.transactions.run(async (transaction) => {
      if (!(await this.apiKeys.remove(userId, id, transaction))) throw new ApiKeyNotFoundError();
      await this.audit.record('api-key.removed', { actorId: userId, client, details: { apiKeyId: id } }, transaction);
    });
  }
}
