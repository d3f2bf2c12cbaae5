import { SpanKind } from '@opentelemetry/api';
import type { Model } from 'mongoose';
import { databaseDate } from '../../../platform/database/database-clock.js';
import { inSpan } from '../../../platform/observability/tracing/spans.js';
import { Postponed } from '../../../platform/work/outcomes.js';
import { type Claim, ClaimLost } from '../../../platform/work/claim.js';
import { WorkQueue } from '../../../platform/work/work-queue.js';
import type { ContactsService } from '../contacts.service.js';
import type { Delivery } from '../schemas/delivery.schema.js';
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
export class DeliveryQueue {
  private readonly queue: WorkQueue<Delivery>;
  private readonly carrier: Circuits;
  private readonly receivers: Circuits;

  constructor(
    deliveries: Model<Delivery>,
    private readonly contacts: ContactsService,
    private readonly channel: Channel,
  ) {
    this.carrier = new Circuits(channel.concurrency);
    this.receivers = new Circuits(channel.perReceiver);
    this.queue = new WorkQueue(deliveries, (delivery, claim) => this.work(delivery, claim), {
      name: channel.name,
      concurrency: channel.concurrency,
      maxAttempts: MAX_ATTEMPTS,
      whenDone: 'keep',
      scope: { channel: channel.name },
      claimable: () => this.claimable(),
    });
  }

  start(): void {
    observeChannel(this.channel.name, {
      carrier: () => this.carrier.countOpen(),
      receiver: () => this.receivers.countOpen(),
    });
    this.queue.start();
  }

  nudge(): void {
    this.queue.nudge();
  }

  async stop(): Promise<void> {
    await this.queue.stop();
  }

  private claimable(): object | null {
    if (this.carrier.closedOff().length > 0) return null;
    const closedOff = this.receivers.closedOff();
    return closedOff.length > 0 ? { receiver: { $nin: closedOff } } : {};
  }

  private async work(delivery: Delivery, claim: Claim): Promise<Sent> {
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
      this.queue.nudge(); // its place is free
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
