import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { type Actor, CurrentActor } from '../../../common/auth/actor.js';
import { CurrentUser, type Principal } from '../../../common/auth/principal.js';
import { AllowApiKeys } from '../../../common/auth/scopes.js';
import { Conditional, type Precondition, replyWithEtag } from '../../../common/http/etag.js';
import { ApiConditionalWrite } from '../../../common/openapi/api-headers.js';
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
  @ApiConditionalWrite()
  @StrictRateLimit()
  @ApiProblems('INVALID_CREDENTIALS')
  @HttpCode(204)
  @Post('verify')
  async verifyPhone(
    @CurrentActor() actor: Actor,
    @Body() body: PhoneCodeDto,
    @Conditional() precondition: Precondition,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { version } = await this.numbers.verify(actor, body.code, precondition);
    replyWithEtag(reply, version, undefined);
  }
}
