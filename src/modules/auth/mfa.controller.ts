import { Body, Controller, Delete, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import { CurrentUser, type SessionPrincipal } from '../../common/auth/principal.js';
import { type Client, CurrentClient } from '../../common/http/client.js';
import { ApiProblems } from '../../common/openapi/api-problems.js';
import { RequiresStepUp } from '../../platform/step-up/requires-step-up.decorator.js';
import { StepUpDto } from '../../platform/step-up/step-up.dto.js';
import { StrictRateLimit } from '../../platform/throttling/rate-limit.guard.js';
import { CodeDto, RecoveryCodesResponseDto, TotpSecretResponseDto } from './dto/mfa.dto.js';
import { MfaService } from './mfa.service.js';

@ApiTags('Auth')
@Controller('auth/mfa/totp')
export class MfaController {
  constructor(private readonly mfa: MfaService) {}

  /**
   * Begin to set up a second factor.
   *
   * @remarks Needs a verified address and a step-up. Answers a new secret for an authenticator app. The secret takes
   * effect when `POST /api/v1/auth/mfa/totp/confirm` receives a code of it within ten minutes. If a second factor is on,
   * the answer is 403 `FORBIDDEN`.
   */
  @RequiresStepUp('EMAIL_UNVERIFIED', 'FORBIDDEN')
  @ApiBody({ type: StepUpDto, required: false })
  @Post()
  beginMfa(
    @CurrentUser() user: SessionPrincipal,
    @Body() body: StepUpDto,
    @CurrentClient() client: Client,
  ): Promise<TotpSecretResponseDto> {
    return this.mfa.begin(user, body, client);
  }

  /**
   * Turn the second factor on.
   *
   * @remarks Takes a code of the secret that was set up last. From then on, log-ins and step-ups need a code. Answers ten
   * recovery codes, which are not shown again. A wrong code is 401 `INVALID_CREDENTIALS`.
   */
  @ApiProblems('INVALID_CREDENTIALS')
  @StrictRateLimit()
  @HttpCode(200)
  @Post('confirm')
  async confirmMfa(
    @CurrentUser() user: SessionPrincipal,
    @Body() body: CodeDto,
    @CurrentClient() client: Client,
  ): Promise<RecoveryCodesResponseDto> {
    return { recoveryCodes: await this.mfa.confirm(user.userId, body.code, client) };
  }

  /**
   * Turn the second factor off.
   *
   * @remarks Needs a step-up. The secret and the recovery codes stop working. Log-ins take the password alone from then
   * on. Changes nothing if no second factor is on.
   */
  @RequiresStepUp()
  @ApiBody({ type: StepUpDto, required: false })
  @HttpCode(204)
  @Delete()
  disableMfa(
    @CurrentUser() user: SessionPrincipal,
    @Body() body: StepUpDto,
    @CurrentClient() client: Client,
  ): Promise<void> {
    return this.mfa.disable(user, body, client);
  }
}
