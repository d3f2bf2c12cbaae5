import { request, type Agent } from 'node:https';
import { Inject, Injectable } from '@nestjs/common';
import webPush from 'web-push';
import { MailEnvironment } from '../../../config/areas/mail.environment.js';
import { PushEnvironment } from '../../../config/areas/push.environment.js';
import { DeliveryDelayedError, DeliveryRefusedError } from '../deliveries/delivery-errors.js';
import type { PushSubscription } from '../schemas/push-subscription.schema.js';

export const PUSH_AGENT = Symbol('push agent');

const TIMEOUT_MS = 15_000;
/** How long a push service keeps a message for a device that is off. */
const TTL_SECONDS = 24 * 3600;

/** The subscription is over: its push service said so. */
export class SubscriptionEndedError extends DeliveryRefusedError {
  constructor() {
    super('no-receiver');
  }
}

interface Answer {
  status: number;
  retryAfter: number;
}

/** Encrypts a message for a browser and hands it to the browser's push service (RFC 8030, 8291, 8292). */
@Injectable()
export class PushSender {
  constructor(
    private readonly environment: PushEnvironment,
    private readonly mail: MailEnvironment,
    @Inject(PUSH_AGENT) private readonly agent: Agent,
  ) {}

  /**
   * @param topic a message replaces one of the same topic that a device hasn't seen
   * @throws SubscriptionEndedError, DeliveryRefusedError, DeliveryDelayedError
   */
  async send({ endpoint, keys }: PushSubscription, payload: string, topic: string): Promise<void> {
    const { status, retryAfter } = await this.post(endpoint, this.seal({ endpoint, keys }, payload, topic));
    if (status >= 200 && status < 300) return;
    const error = new Error(`the push service answered ${status}`);
    if (status === 404 || status === 410) throw new SubscriptionEndedError();
    if (status === 429) throw new DeliveryDelayedError('busy', 'receiver', error, retryAfter * 1000);
    if (status >= 500) throw new DeliveryDelayedError('unreachable', 'receiver', error, retryAfter * 1000);
    throw new DeliveryRefusedError('refused', error);
  }

  private seal(subscription: Pick<PushSubscription, 'endpoint' | 'keys'>, payload: string, topic: string) {
    const { VAPID_PUBLIC_KEY = '', VAPID_PRIVATE_KEY = '' } = this.environment;
    const { MAIL_FROM } = this.mail;
    const subject = `mailto:${/<(.+)>/.exec(MAIL_FROM)?.[1] ?? MAIL_FROM}`;
    return webPush.generateRequestDetails(subscription, payload, {
      vapidDetails: { subject, publicKey: VAPID_PUBLIC_KEY, privateKey: VAPID_PRIVATE_KEY },
      contentEncoding: 'aes128gcm',
      TTL: TTL_SECONDS,
      topic,
    });
  }

  /** Follows no redirect, and reads nothing of what is said beside the status. */
  private async post(
    endpoint: string,
    { method, headers, body }: ReturnType<typeof webPush.generateRequestDetails>,
  ): Promise<Answer> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      return await new Promise<Answer>((resolve, reject) => {
        const outgoing = request(endpoint, { method, headers, agent: this.agent, signal });
        outgoing.on('error', reject).on('response', (response) => {
          const { statusCode: status = 0, headers: received } = response;
          response.on('error', () => undefined).destroy();
          resolve({ status, retryAfter: Number(received['retry-after']) || 0 });
        });
        outgoing.end(body);
      });
    } catch (error) {
      // Also for an address that isn't public: another text, or no further attempt, would tell which names exist in our network.
      throw new DeliveryDelayedError('unreachable', 'receiver', error);
    }
  }
}
