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

  /**
   * Get the public key for Web Push.
   *
   * @remarks The VAPID key that browsers take as `applicationServerKey`. If Web Push is not set up, the answer is 404.
   */
  @ApiProblems('NOT_FOUND')
  @Get('public-key')
  getPublicKey(): VapidKeyResponseDto {
    return this.subscriptions.getPublicKey();
  }

  /**
   * Subscribe a browser to notifications.
   *
   * @remarks Needs a verified address. Takes what `PushManager.subscribe()` of the browser returned; the same
   * subscription again returns the same id. The oldest of 20 subscriptions makes room for a new one. If Web Push is not
   * set up, the answer is 404.
   */
  @ApiProblems('NOT_FOUND', 'EMAIL_UNVERIFIED')
  @UseGuards(VerifiedContactGuard)
  @Idempotent()
  @Post('subscriptions')
  subscribe(@CurrentUser() user: Principal, @Body() body: SubscribeDto): Promise<PushSubscriptionResponseDto> {
    return this.subscriptions.add(user.userId, body);
  }

  /**
   * End the subscription of a browser.
   *
   * @remarks The browser gets no more notifications. Other browsers keep theirs.
   */
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
