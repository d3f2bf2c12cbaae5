import { type FactoryProvider, type OnApplicationBootstrap, type Type } from '@nestjs/common';
import { SpanKind } from '@opentelemetry/api';
import { databaseDate } from '../../../platform/database/database-clock.js';
import { inSpan } from '../../../platform/observability/tracing/spans.js';
import { Postponed } from '../../../platform/work/outcomes.js';
import { type Claim, ClaimLost } from '../../../platform/work/claim.js';
import { WorkHandler } from '../../../platform/work/work-handler.decorator.js';
import { WorkQueues } from '../../../platform/work/work-queues.js';
import { ContactsService } from '../contacts.service.js';
import { Delivery } from '../schemas/delivery.schema.js';
import type { Channel } from './channel.js';
import { Circuits } from './circuit.js';
import { DeliveryDelayedError, DeliveryRefusedError } from './delivery-errors.js';
import { observeChannel, observeDelivery } from './delivery-metrics.js';
import { judge } from './delivery-policy.js';

/** With the queue's backoff that is about a day of trying. */
const MAX_ATTEMPTS = 150;
/** A third of a lease. A mail server may take ten minutes to answer, and nobody else shall send the mail meanwhile. */
const EXTEND_MS = 20_000;
const CARRIER = 'carrier';

type Sent = Pick<Delivery, 'deliveredAt' | 'token'>;

/** The deliveries of one channel, worked on by whichever process is free; a slow or dead receiver delays no other. */
export class DeliveryQueue implements OnApplicationBootstrap {
  private readonly carrier: Circuits;
  private readonly receivers: Circuits;

  constructor(
    private readonly channel: Channel,
    private readonly contacts: ContactsService,
    private readonly queues: WorkQueues,
  ) {
    this.carrier = new Circuits(channel.concurrency);
    this.receivers = new Circuits(channel.perReceiver);
  }

  onApplicationBootstrap(): void {
    observeChannel(this.channel.name, {
      carrier: () => this.carrier.countOpen(),
      receiver: () => this.receivers.countOpen(),
    });
  }

  private claimable(): object | null {
    if (this.carrier.closedOff().length > 0) return null;
    const closedOff = this.receivers.closedOff();
    return closedOff.length > 0 ? { receiver: { $nin: closedOff } } : {};
  }

  @WorkHandler((queue: DeliveryQueue) => ({
    queue: queue.channel.name,
    items: Delivery,
    concurrency: queue.channel.concurrency,
    maxAttempts: MAX_ATTEMPTS,
    whenDone: 'keep',
    scope: { channel: queue.channel.name },
    claimable: () => queue.claimable(),
  }))
  async work(delivery: Delivery, claim: Claim): Promise<Sent> {
    this.carrier.begin(CARRIER);
    this.receivers.begin(delivery.receiver);
    const finished = observeDelivery(this.channel.name);
    // The claim runs out where it can't be extended; what is sent after that asks for it (`claim.assertHeld`).
    const timer = setInterval(() => void claim.extend().catch(() => undefined), EXTEND_MS);
    let result: unknown;
    try {
      const outcome = await this.attempt(delivery, claim);
      result = outcome;
      finished(outcome);
      return { deliveredAt: outcome === 'delivered' ? databaseDate() : null, token: null };
    } catch (error) {
      result = error;
      finished(
        error instanceof Postponed || error instanceof ClaimLost
          ? 'postponed'
          : error instanceof DeliveryRefusedError
            ? 'refused'
            : 'delayed',
      );
      throw error;
    } finally {
      clearInterval(timer);
      this.learn(delivery.receiver, result);
      this.queues.nudge(this.channel.name); // its place is free
    }
  }

  private async attempt(delivery: Delivery, claim: Claim) {
    const now = databaseDate();
    if (delivery.expiresAt && delivery.expiresAt <= now) throw new DeliveryRefusedError('too-late');
    const contact = await this.contacts.find(delivery.user);
    const verdict = judge(delivery, contact, now);
    if (verdict instanceof Date) throw new Postponed(verdict);
    if (verdict === 'drop') return 'skipped';
    const description = { kind: SpanKind.CLIENT, attributes: { 'notification.event': delivery.event } };
    return await inSpan(`send ${this.channel.name}`, description, () => this.channel.send(delivery, contact, claim));
  }

  /** A refusal is an answer, too: whoever gave it is alive. Where nobody was asked there is nothing to learn. */
  private learn(receiver: string, result: unknown): void {
    const answered = result === 'delivered' || result instanceof DeliveryRefusedError || undefined;
    const { faultOf, retryAfterMs } = result instanceof DeliveryDelayedError ? result : {};
    this.carrier.end(CARRIER, faultOf === 'carrier' ? false : answered, retryAfterMs);
    this.receivers.end(receiver, faultOf === 'receiver' ? false : answered, retryAfterMs);
  }
}

/** @returns the provider of a channel's queue */
export function deliveryQueueOf(channel: Type<Channel>): FactoryProvider {
  return {
    provide: `DeliveryQueue:${channel.name}`,
    inject: [channel, ContactsService, WorkQueues],
    useFactory: (...parts: [Channel, ContactsService, WorkQueues]) => new DeliveryQueue(...parts),
  };
}
