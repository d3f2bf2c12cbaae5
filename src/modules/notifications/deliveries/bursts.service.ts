import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, Types } from 'mongoose';
import { objectIdBytes } from '../../../common/crypto/digest.js';
import type { NotificationEvent } from '../../../contracts/notification-events.js';
import { databaseDate } from '../../../platform/database/database-clock.js';
import { Transactions } from '../../../platform/database/transactions.js';
import { ContactsService } from '../contacts.service.js';
import type { Contact } from '../schemas/contact.schema.js';
import { Delivery } from '../schemas/delivery.schema.js';
import type { DeliveryRequest } from './deliveries.service.js';
import { OVER_QUOTA } from './delivery-errors.js';
import { countCollapsed } from './sending-metrics.js';
import { SendingQuotas } from './sending-quotas.js';

/** How long the events of one type are collected after one was sent at once. */
const WINDOW_MS = 60_000;
/** How many inbox entries a message lists; it counts the others. */
const LISTED = 20;

type Collected = Pick<Delivery, '_id' | 'state' | 'attempts' | 'lease' | 'lastError'>;

/**
 * Collapses bursts: of several task events of one type within a minute the first is sent at once, and the others together
 * at the end of the minute, in one message a channel. The minute's end is stored in the contact. The message is a
 * delivery that is due then; it can't be claimed and added to at the same time, since both write to it.
 */
@Injectable()
export class BurstsService {
  constructor(
    @InjectModel(Delivery.name) private readonly deliveries: Model<Delivery>,
    private readonly contacts: ContactsService,
    private readonly quotas: SendingQuotas,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Adds an event to the messages that are collected at the moment.
   *
   * @param requests the messages that would be sent for it
   * @param entry the event's entry in the inbox
   * @returns the ids of the messages that it became a part of; null where it is to be sent at once
   */
  async collect(
    contact: Contact,
    event: NotificationEvent,
    { requests, entry }: { requests: DeliveryRequest[]; entry: Types.ObjectId },
    tx: ClientSession,
  ): Promise<Types.ObjectId[] | null> {
    const user = contact._id;
    const until = contact.burstsUntil?.[keyOf(event)];
    const messages = requests.map((request) => ({ ...request, _id: idOf(request, until) }));
    const ids = messages.map(({ _id }) => _id);
    const known = until && until > databaseDate() ? await this.find(user, ids, tx) : null;
    if (!until || !known || known.some(isOver)) {
      await this.contacts.openBurst(String(user), keyOf(event), databaseDate(WINDOW_MS), tx);
      return null;
    }
    const fresh = messages.filter(({ _id }) => !known.some((each) => each._id.equals(_id)));
    await this.begin(contact, fresh, { entry, until }, tx);
    await this.deliveries.updateMany(
      { _id: { $in: known.map(({ _id }) => _id) }, user, state: 'ready' },
      { $inc: { collapsedCount: 1 }, $push: { collapsed: { $each: [entry], $slice: LISTED } } },
      { session: tx },
    );
    this.transactions.afterCommit(() => requests.forEach(({ channel }) => countCollapsed(channel)), tx);
    return ids;
  }

  private async find(user: Types.ObjectId, ids: Types.ObjectId[], tx: ClientSession): Promise<Collected[]> {
    return await this.deliveries
      .find({ _id: { $in: ids }, user }, { state: 1, attempts: 1, lease: 1, lastError: 1 }, { session: tx })
      .lean<Collected[]>();
  }

  /** The first event that is collected brings the messages; each takes one of its channel's quota. */
  private async begin(
    contact: Contact,
    messages: (DeliveryRequest & { _id: Types.ObjectId })[],
    { entry, until }: { entry: Types.ObjectId; until: Date },
    tx: ClientSession,
  ): Promise<void> {
    if (messages.length === 0) return;
    const excess = await this.quotas.findExcess(String(contact._id), messages, tx);
    const planned = { availableAt: until, createdAt: until, burstUntil: until, traceparent: null };
    const rows = messages.map((message) => ({
      ...message,
      ...planned,
      notification: entry,
      collapsed: [entry],
      collapsedCount: 1,
      ...(excess.has(message) && OVER_QUOTA),
    }));
    await this.deliveries.insertMany(rows, { session: tx });
  }
}

/** Whether a message has been claimed, so that nothing can be added to it. What is over the quota takes in all. */
function isOver({ state, attempts, lease, lastError }: Collected): boolean {
  if (state !== 'ready') return lastError !== OVER_QUOTA.lastError;
  return lease !== null || attempts > 0;
}

/** Names of fields contain no dots. */
function keyOf(event: NotificationEvent): string {
  return event.replace('.', '_');
}

/** Made of what it is about, so that two instances can't begin the same message twice. */
function idOf({ user, event, channel, to }: DeliveryRequest, until = new Date(0)): Types.ObjectId {
  const text = ['burst', String(user), event, channel, to ?? '', until.toISOString()].join(':');
  return new Types.ObjectId(objectIdBytes(text));
}
