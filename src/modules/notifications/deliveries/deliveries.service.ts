import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, Types } from 'mongoose';
import { ownedBy } from '../../../common/auth/access-scope.js';
import { objectIdBytes } from '../../../common/crypto/digest.js';
import { Transactions } from '../../../platform/database/transactions.js';
import { rowsOf } from '../../../platform/personal-data/personal-data.js';
import { WorkQueues } from '../../../platform/work/work-queues.js';
import type { DeliveryResponseDto } from '../dto/delivery-response.dto.js';
import { InboxService } from '../inbox.service.js';
import { isAboutAccount } from '../notification-texts.js';
import type { Contact } from '../schemas/contact.schema.js';
import { Delivery } from '../schemas/delivery.schema.js';
import { CHANNELS } from '../../../contracts/notification-events.js';
import { databaseDate } from '../../../platform/database/database-clock.js';
import { toDeliveryResponse } from './delivery.mapper.js';
import { nextDigest } from './local-time.js';

/** Messages about the account are sent before all others that are due, whatever time those were stored at. */
const HEAD_START_MS = 3_600_000;

/** A message to be sent; what it leaves out is as `Delivery` has it by default. */
export type DeliveryRequest = Pick<Delivery, 'user' | 'channel' | 'event' | 'data' | 'receiver'> &
  Partial<Pick<Delivery, 'notification' | 'to' | 'token' | 'expiresAt' | 'state' | 'lastError'>>;

/** Messages as durable work: stored with their reason, sent by whichever process is free, until somebody has them. */
@Injectable()
export class DeliveriesService {
  constructor(
    @InjectModel(Delivery.name) private readonly deliveries: Model<Delivery>,
    private readonly transactions: Transactions,
    private readonly inbox: InboxService,
    private readonly work: WorkQueues,
  ) {}

  /** Sends messages once the transaction is committed. */
  async add(requests: DeliveryRequest[], tx: ClientSession): Promise<void> {
    if (requests.length === 0) return;
    const first = databaseDate(-HEAD_START_MS);
    const rows = requests.map((request) =>
      isAboutAccount(request.event) ? { ...request, availableAt: first } : request,
    );
    await this.deliveries.insertMany(rows, { session: tx });
    this.transactions.afterCommit(() => requests.forEach(({ channel }) => this.work.nudge(channel)), tx);
  }

  /**
   * Collects an inbox entry for the user's next daily digest: one mail a day, whoever adds to it. Its id is made of user and
   * moment, so that two instances can't begin two. Not of the day: after a move to the west the next digest is due on a day
   * that has had one.
   */
  async addToDigest(entry: Types.ObjectId, contact: Contact, receiver: string, tx: ClientSession): Promise<void> {
    const at = nextDigest(databaseDate(), contact.timezone ?? 'UTC');
    // It ends no trace of anybody's: that of its first event was over long before.
    const planned = { availableAt: at, traceparent: null };
    const digest = { user: contact._id, channel: 'email', event: 'digest.daily', data: {}, receiver, ...planned };
    await this.deliveries.updateOne(
      { _id: digestId(contact._id, at), state: 'ready', attempts: 0 },
      { $push: { digestOf: entry }, $setOnInsert: digest },
      { session: tx, upsert: true, setDefaultsOnInsert: true },
    );
  }

  /** Has what waits for the end of quiet hours looked at again, where those, or the user's clocks, may be others by now. */
  async reconsider(userId: string, tx: ClientSession): Promise<void> {
    const planned = { state: 'ready', lease: null, attempts: 0, availableAt: { $gt: databaseDate() } } as const;
    await this.deliveries.updateMany(
      {
        ...planned,
        user: new Types.ObjectId(userId),
        event: { $ne: 'digest.daily' },
        $or: [{ burstUntil: null }, { burstUntil: { $lte: databaseDate() } }],
      },
      { $set: { availableAt: databaseDate() } },
      { session: tx },
    );
    this.transactions.afterCommit(() => CHANNELS.forEach((channel) => this.work.nudge(channel)), tx);
  }

  /** Has all that waits for its time looked at now, since it is to be dropped. */
  async makeDue(userId: string, tx: ClientSession): Promise<void> {
    const waiting = { ...ownedBy(userId).filter, state: 'ready', lease: null } as const;
    await this.deliveries.updateMany(waiting, { $set: { availableAt: databaseDate() } }, { session: tx });
    this.transactions.afterCommit(() => CHANNELS.forEach((channel) => this.work.nudge(channel)), tx);
  }

  /** What became of a notification, by channel. @throws NotificationNotFoundError */
  async list(userId: string, notificationId: string): Promise<DeliveryResponseDto[]> {
    const collapsedInto = await this.inbox.findCollapsedInto(userId, notificationId);
    const notification = new Types.ObjectId(notificationId);
    const own = [{ notification }, { digestOf: notification }, { _id: { $in: collapsedInto } }];
    const filter = { ...ownedBy(userId).filter, $or: own };
    const deliveries = await this.deliveries.find(filter).sort({ _id: 1 }).lean<Delivery[]>();
    return deliveries.map(toDeliveryResponse);
  }

  /** Forgets all messages to a user, those under way included. */
  async removeAll(userId: string, tx: ClientSession): Promise<void> {
    await this.deliveries.deleteMany(ownedBy(userId).filter, { session: tx });
  }

  exportAll(userId: string): AsyncIterable<unknown> {
    const query = this.deliveries.find(ownedBy(userId).filter).sort({ createdAt: 1 }).lean<Delivery[]>();
    return rowsOf(query, (delivery) => {
      const { event, to, data, createdAt } = delivery;
      return { event, to, data, createdAt, ...toDeliveryResponse(delivery) };
    });
  }
}

function digestId(user: Types.ObjectId, at: Date): Types.ObjectId {
  return new Types.ObjectId(objectIdBytes(`digest:${String(user)}:${at.toISOString()}`));
}
