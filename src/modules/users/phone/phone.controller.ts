import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor } from '../../../common/auth/actor.js';
import { CurrentUser, type Principal } from '../../../common/auth/principal.js';
import { AllowApiKeys } from '../../../common/auth/scopes.js';
import { Conditional } from '../../../common/http/conditional.decorator.js';
import type { HasVersion, Precondition } from '../../../common/http/etag.js';
import { Versioned } from '../../../common/http/versioned.decorator.js';
import { ApiProblems } from '../../../common/openapi/api-problems.js';
import { StrictRateLimit } from '../../../platform/throttling/rate-limit.guard.js';
import { PhoneCodeDto } from '../dto/phone-code.dto.js';
import { PhoneNumbersService } from './phone-numbers.service.js';

@ApiTags('Users')
@AllowApiKeys('users')
@Controller('users/me/phone')
export class PhoneController {
  constructor(private readonly numbers: PhoneNumbersService) {}

  /** Get a code by SMS, to confirm your phone number; at most five a day. */
  @StrictRateLimit()
  @ApiProblems('EMAIL_UNVERIFIED')
  @HttpCode(202)
  @Post('send-code')
  sendCode(@CurrentUser() user: Principal): Promise<void> {
    return this.numbers.sendCode(user.userId);
  }

  /** Confirm your phone number with the code. The `ETag` is your profile's. */
  @Versioned()
  @StrictRateLimit()
  @ApiProblems('INVALID_CREDENTIALS')
  @HttpCode(204)
  @Post('verify')
  verifyPhone(
    @CurrentActor() actor: Actor,
    @Body() body: PhoneCodeDto,
    @Conditional() precondition: Precondition,
  ): Promise<HasVersion> {
    return this.numbers.verify(actor, body.code, precondition);
  }
}
