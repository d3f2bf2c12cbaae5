import { Body, Controller, Delete, HttpCode } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentUser, type SessionPrincipal } from '../../common/auth/principal.js';
import { ApiProblems } from '../../common/openapi/api-problems.js';
import { StrictRateLimit } from '../../platform/throttling/rate-limit.guard.js';
import { AccountLifecycleService } from './account-lifecycle.service.js';
import { PasswordDto } from './dto/mfa.dto.js';

/** Under `/users`, but here: it takes the password, which only this module can check. */
@ApiTags('Users')
@Controller('users/me')
export class AccountDeletionController {
  constructor(private readonly lifecycle: AccountLifecycleService) {}

  /** Delete your account: sessions end, and every module erases your data. */
  @ApiProblems('INVALID_CREDENTIALS', 'LAST_ADMIN')
  @StrictRateLimit()
  @HttpCode(204)
  @Delete()
  deleteMe(@CurrentUser() user: SessionPrincipal, @Body() body: PasswordDto): Promise<void> {
    return this.lifecycle.deleteOwn(user.userId, body.password);
  }
}
