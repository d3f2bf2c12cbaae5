import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { canonicalAddresses } from '../../platform/migrations/canonical-addresses.js';
import { MigrationsModule } from '../../platform/migrations/migrations.module.js';
import { AccountDataService } from './account-data.service.js';
import { ContactsService } from './contacts.service.js';
import { BurstsService } from './deliveries/bursts.service.js';
import { DeliveriesService } from './deliveries/deliveries.service.js';
import { deliveryQueueOf } from './deliveries/delivery-queue.js';
import { SendingQuotas } from './deliveries/sending-quotas.js';
import { EmailChannel } from './email/email-channel.js';
import { Mailer } from './email/mailer.js';
import { InboxService } from './inbox.service.js';
import { NotificationsController } from './notifications.controller.js';
import { NotificationsListener } from './notifications.listener.js';
import { NotifierService } from './notifier.service.js';
import { REALTIME_PROVIDERS } from './realtime/realtime.providers.js';
import { WebSocketController } from './realtime/websocket.controller.js';
import { Contact, ContactSchema } from './schemas/contact.schema.js';
import { Delivery, DeliverySchema } from './schemas/delivery.schema.js';
import { Notification, NotificationSchema } from './schemas/notification.schema.js';
import { PushSubscription, PushSubscriptionSchema } from './schemas/push-subscription.schema.js';
import { PublicHttpsAgent } from './push/public-https-agent.js';
import { PushChannel } from './push/push-channel.js';
import { PUSH_AGENT, PushSender } from './push/push-sender.js';
import { PushSubscriptionsService } from './push/push-subscriptions.service.js';
import { PushController } from './push/push.controller.js';
import { RemainingSetup } from './remaining-setup.js';
import { SmsChannel } from './sms/sms-channel.js';

const CHANNELS = [EmailChannel, PushChannel, SmsChannel];

@Module({
  imports: [
    MongooseModule.forFeature([
      { name: Contact.name, schema: ContactSchema },
      { name: Delivery.name, schema: DeliverySchema },
      { name: Notification.name, schema: NotificationSchema },
      { name: PushSubscription.name, schema: PushSubscriptionSchema },
    ]),
    MigrationsModule.forFeature('notifications', [canonicalAddresses('contacts')]),
  ],
  controllers: [PushController, NotificationsController, WebSocketController],
  providers: [
    AccountDataService,
    InboxService,
    ContactsService,
    NotifierService,
    DeliveriesService,
    BurstsService,
    SendingQuotas,
    ...CHANNELS,
    ...CHANNELS.map(deliveryQueueOf),
    PushSender,
    PushSubscriptionsService,
    RemainingSetup,
    { provide: PUSH_AGENT, useFactory: () => new PublicHttpsAgent() },
    Mailer,
    NotificationsListener,
    ...REALTIME_PROVIDERS,
  ],
})
export class NotificationsModule {}
