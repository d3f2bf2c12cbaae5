import { createHmac } from 'node:crypto';
import type { Outcome } from '../deliveries/channel.js';
import { databaseDate } from '../../../platform/database/database-clock.js';
import { DeliveryRefusedError } from '../deliveries/delivery-errors.js';
import { postToProvider } from './post.js';
import type { Sms, SmsDriver } from './sms-driver.js';

/**
 * Any HTTP service, by a signed webhook (https://www.standardwebhooks.com): `webhook-id` is the same for each attempt at
 * a message, so that a receiver can drop repetitions. 2xx accepts, 4xx refuses for good, all else is tried again.
 */
export class WebhookDriver implements SmsDriver {
  private readonly key: Buffer;

  /** @param secret base64, after `whsec_` or without */
  constructor(
    private readonly url: string,
    secret: string,
  ) {
    this.key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  }

  async send({ id, to, text }: Sms): Promise<Outcome> {
    const now = databaseDate();
    const timestamp = String(Math.floor(now.getTime() / 1000));
    const body = JSON.stringify({ type: 'sms', timestamp: now.toISOString(), data: { to, text } });
    const signature = createHmac('sha256', this.key).update(`${id}.${timestamp}.${body}`).digest('base64');
    const response = await postToProvider(
      this.url,
      {
        'Content-Type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${signature}`,
      },
      body,
    );
    await response.body?.cancel();
    if (response.ok) return 'delivered';
    throw new DeliveryRefusedError('refused', new Error(`the SMS webhook answered ${response.status}`));
  }
}
