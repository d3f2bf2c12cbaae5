import { Body, Controller, Delete, HttpCode } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import { CurrentUser, type SessionPrincipal } from '../../common/auth/principal.js';
import { type Client, CurrentClient } from '../../common/http/client.js';
import { Conditional } from '../../common/http/conditional.decorator.js';
import type { Precondition } from '../../common/http/etag.js';
import { RequiresStepUp } from '../../platform/step-up/requires-step-up.decorator.js';
import { StepUpDto } from '../../platform/step-up/step-up.dto.js';
import { AccountLifecycleService } from './account-lifecycle.service.js';

/** Under `/users`, but here: it takes the password, which only this module can check. */
@ApiTags('Users')
@Controller('users/me')
export class AccountDeletionController {
  constructor(private readonly lifecycle: AccountLifecycleService) {}

  /**
   * Delete your account.
   *
   * @remarks Needs a step-up. Ends your sessions and API keys, and erases your data in every module. It cannot be undone.
   * The last administrator gets 409 `LAST_ADMIN`.
   */
  @RequiresStepUp('LAST_ADMIN')
  @ApiBody({ type: StepUpDto, required: false })
  @HttpCode(204)
  @Delete()
  deleteMe(
    @CurrentUser() user: SessionPrincipal,
    @Body() body: StepUpDto,
    @CurrentClient() client: Client,
    @Conditional() precondition: Precondition,
  ): Promise<void> {
    return this.lifecycle.deleteOwn(user, body, client, precondition);
  }
}
