import { Body, Controller, Delete, Get, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentUser, type Principal } from '../../../common/auth/principal.js';
import { AllowApiKeys } from '../../../common/auth/scopes.js';
import { Conditional } from '../../../common/http/conditional.decorator.js';
import type { Precondition } from '../../../common/http/etag.js';
import { IdPipe } from '../../../common/http/id.pipe.js';
import { ApiProblems } from '../../../common/openapi/api-problems.js';
import { Idempotent } from '../../../platform/idempotency/idempotency.interceptor.js';
import { PushSubscriptionResponseDto, SubscribeDto, VapidKeyResponseDto } from '../dto/push.dto.js';
import { PushSubscriptionsService } from './push-subscriptions.service.js';
import { VerifiedContactGuard } from './verified-contact.guard.js';

@ApiTags('Notifications')
@AllowApiKeys('notifications')
@Controller('notifications/push')
export class PushController {
  constructor(private readonly subscriptions: PushSubscriptionsService) {}

  /** Get the key that browsers subscribe to Web Push with (VAPID); 404 where that isn't set up. */
  @ApiProblems('NOT_FOUND')
  @Get('public-key')
  getPublicKey(): VapidKeyResponseDto {
    return this.subscriptions.getPublicKey();
  }

  /** Get notifications in a browser, by what its `PushManager.subscribe()` gave; again: the same subscription. */
  @ApiProblems('NOT_FOUND', 'EMAIL_UNVERIFIED')
  @UseGuards(VerifiedContactGuard)
  @Idempotent()
  @Post('subscriptions')
  subscribe(@CurrentUser() user: Principal, @Body() body: SubscribeDto): Promise<PushSubscriptionResponseDto> {
    return this.subscriptions.add(user.userId, body);
  }

  /** Get no more notifications in a browser. */
  @HttpCode(204)
  @Delete('subscriptions/:id')
  unsubscribe(
    @CurrentUser() user: Principal,
    @Param('id', IdPipe) id: string,
    @Conditional() precondition: Precondition,
  ): Promise<void> {
    return this.subscriptions.remove(user.userId, id, precondition);
  }
}
