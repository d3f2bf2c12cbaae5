import { Body, Controller, Delete, HttpCode, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentUser, type SessionPrincipal } from '../../common/auth/principal.js';
import { type Client, CurrentClient } from '../../common/http/client.js';
import { ApiProblems } from '../../common/openapi/api-problems.js';
import { StrictRateLimit } from '../../platform/throttling/rate-limit.guard.js';
import { CodeDto, PasswordDto, RecoveryCodesResponseDto, TotpSecretResponseDto } from './dto/mfa.dto.js';
import { MfaService } from './mfa.service.js';

@ApiTags('Auth')
@StrictRateLimit()
@Controller('auth/mfa/totp')
export class MfaController {
  constructor(private readonly mfa: MfaService) {}

  /** Begin to set up a second factor. */
  @ApiProblems('INVALID_CREDENTIALS', 'FORBIDDEN')
  @Post()
  beginMfa(@CurrentUser() user: SessionPrincipal, @Body() body: PasswordDto): Promise<TotpSecretResponseDto> {
    return this.mfa.begin(user.userId, body.password);
  }

  /** Confirm the second factor with a first code; answers the recovery codes. */
  @ApiProblems('INVALID_CREDENTIALS')
  @HttpCode(200)
  @Post('confirm')
  async confirmMfa(
    @CurrentUser() user: SessionPrincipal,
    @Body() body: CodeDto,
    @CurrentClient() client: Client,
  ): Promise<RecoveryCodesResponseDto> {
    return { recoveryCodes: await this.mfa.confirm(user.userId, body.code, client) };
  }

  /** Turn the second factor off, with one of its codes. */
  @ApiProblems('INVALID_CREDENTIALS')
  @HttpCode(204)
  @Delete()
  disableMfa(
    @CurrentUser() user: SessionPrincipal,
    @Body() body: CodeDto,
    @CurrentClient() client: Client,
  ): Promise<void> {
    return this.mfa.disable(user.userId, body.code, client);
  }
}
