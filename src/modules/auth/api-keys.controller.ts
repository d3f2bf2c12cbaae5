import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentUser, type SessionPrincipal } from '../../common/auth/principal.js';
import { type Client, CurrentClient } from '../../common/http/client.js';
import { Conditional } from '../../common/http/conditional.decorator.js';
import type { Precondition } from '../../common/http/etag.js';
import { IdPipe } from '../../common/http/id.pipe.js';
import { wholeList } from '../../common/pagination/page.dto.js';
import { RequiresStepUp } from '../../platform/step-up/requires-step-up.decorator.js';
import { ApiKeysService } from './api-keys.service.js';
import { CreateApiKeyDto, CreatedApiKeyResponseDto } from './dto/api-key.dto.js';
import { ApiKeyListResponseDto } from './dto/list-responses.dto.js';

@ApiTags('Auth')
@Controller('auth/api-keys')
export class ApiKeysController {
  constructor(private readonly apiKeys: ApiKeysService) {}

  /**
   * Create an API key.
   *
   * @remarks Needs a verified address and a step-up. The answer is the only one that shows the key; send it as a bearer
   * token. It expires after 90 days unless `expiresAt` says otherwise. A 26th valid key is 409 `LIMIT_REACHED`. A mail
   * announces the new key.
   */
  @RequiresStepUp('EMAIL_UNVERIFIED', 'LIMIT_REACHED')
  @Post()
  createApiKey(
    @CurrentUser() user: SessionPrincipal,
    @Body() body: CreateApiKeyDto,
    @CurrentClient() client: Client,
  ): Promise<CreatedApiKeyResponseDto> {
    return this.apiKeys.create(user, body, client);
  }

  /**
   * List your API keys.
   *
   * @remarks Shows name, scopes, expiry and last use, but never the key itself. The list is complete: it has no further
   * pages.
   */
  @Get()
  async listApiKeys(@CurrentUser() user: SessionPrincipal): Promise<ApiKeyListResponseDto> {
    return wholeList(await this.apiKeys.list(user.userId));
  }

  /**
   * Remove an API key.
   *
   * @remarks Every instance rejects requests with the key within one second. It cannot be restored.
   */
  @HttpCode(204)
  @Delete(':id')
  removeApiKey(
    @CurrentUser() user: SessionPrincipal,
    @Param('id', IdPipe) id: string,
    @CurrentClient() client: Client,
    @Conditional() precondition: Precondition,
  ): Promise<void> {
    return this.apiKeys.remove(user.userId, id, client, precondition);
  }
}
