import { Injectable } from '@nestjs/common';
import type { Claim } from '../../../platform/work/claim.js';
import { collapsedTextOf } from '../collapsed-text.js';
import type { Channel, Outcome } from '../deliveries/channel.js';
import type { Contact } from '../schemas/contact.schema.js';
import type { Delivery } from '../schemas/delivery.schema.js';
import { PushSender, SubscriptionEndedError } from './push-sender.js';
import { PushSubscriptionsService } from './push-subscriptions.service.js';

/** Push services take 4 KiB, encrypted; a character may take six bytes in JSON. */
const MAX_LENGTH = 500;

/** Messages to browsers; `Delivery.to` is the id of a subscription. */
@Injectable()
export class PushChannel implements Channel {
  readonly name = 'push';
  readonly concurrency = 20;
  readonly perReceiver = 5;

  constructor(
    private readonly subscriptions: PushSubscriptionsService,
    private readonly sender: PushSender,
  ) {}

  async send(
    { _id, user, to, event, notification, ...delivery }: Delivery,
    contact: Contact | null,
    claim: Claim,
  ): Promise<Outcome> {
    const subscription = to === null ? null : await this.subscriptions.find(user, to);
    if (!subscription || !this.subscriptions.arePossible) return 'skipped';
    const { title, body } = collapsedTextOf(event, delivery.data, delivery.collapsedCount, contact ?? {});
    const payload = JSON.stringify({ id: notification && String(notification), event, title, body: clip(body) });
    await claim.assertHeld();
    try {
      await this.sender.send(subscription, payload, String(_id));
      return 'delivered';
    } catch (error) {
      if (error instanceof SubscriptionEndedError) await this.subscriptions.removeEnded(subscription);
      throw error;
    }
  }
}

function clip(text: string): string {
  const characters = [...text];
  return characters.length > MAX_LENGTH ? `${characters.slice(0, MAX_LENGTH - 1).join('')}…` : text;
}
