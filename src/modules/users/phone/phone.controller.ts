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

  /**
   * Send a code to your phone.
   *
   * @remarks Needs a verified address. Sends an SMS to the number of your profile; the code is valid for ten minutes and
   * five attempts. Sends nothing if the number is verified. Without a number, or with one of a country that is not
   * served, the answer is 400. The sixth code of a day is 429.
   */
  @StrictRateLimit()
  @ApiProblems('EMAIL_UNVERIFIED')
  @HttpCode(202)
  @Post('send-code')
  sendCode(@CurrentUser() user: Principal): Promise<void> {
    return this.numbers.sendCode(user.userId);
  }

  /**
   * Verify your phone number with the code.
   *
   * @remarks A code that is wrong, used or expired is 401 `INVALID_CREDENTIALS`; the fifth wrong one ends the code. The
   * `ETag` is the new one of your profile.
   */
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
