import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, Types } from 'mongoose';
import { ownedBy } from '../../../common/auth/access-scope.js';
import { objectIdBytes } from '../../../common/crypto/digest.js';
import { NotFoundError } from '../../../common/errors/problem.js';
import { assertMatches, NO_ETAG, type Precondition } from '../../../common/http/etag.js';
import { PushEnvironment } from '../../../config/areas/push.environment.js';
import { databaseDate } from '../../../platform/database/database-clock.js';
import { Transactions } from '../../../platform/database/transactions.js';
import { PersonalData } from '../../../platform/personal-data/personal-data.js';
import { ContactsService } from '../contacts.service.js';
import type { PushSubscriptionResponseDto, SubscribeDto, VapidKeyResponseDto } from '../dto/push.dto.js';
import { PushSubscription } from '../schemas/push-subscription.schema.js';

/** A user's browsers; the one that subscribed longest ago makes room for another. */
const MAX_SUBSCRIPTIONS = 20;

/** The browsers that users get messages in. */
@Injectable()
export class PushSubscriptionsService {
  constructor(
    @InjectModel(PushSubscription.name) private readonly subscriptions: Model<PushSubscription>,
    private readonly contacts: ContactsService,
    private readonly personalData: PersonalData,
    private readonly transactions: Transactions,
    private readonly environment: PushEnvironment,
  ) {}

  /** Whether Web Push is set up here. */
  get arePossible(): boolean {
    return this.environment.VAPID_PUBLIC_KEY !== undefined;
  }

  /** @throws NotFoundError where Web Push isn't set up */
  getPublicKey(): VapidKeyResponseDto {
    if (!this.environment.VAPID_PUBLIC_KEY) throw new NotFoundError('Web Push is not set up here.');
    return { publicKey: this.environment.VAPID_PUBLIC_KEY };
  }

  /** @throws NotFoundError where Web Push isn't set up */
  async add(userId: string, { endpoint, keys, expirationTime }: SubscribeDto): Promise<PushSubscriptionResponseDto> {
    this.getPublicKey();
    const user = new Types.ObjectId(userId);
    const _id = new Types.ObjectId(objectIdBytes(endpoint));
    const expiresAt = expirationTime ? new Date(expirationTime) : null;
    const { p256dh, auth } = keys;
    await this.transactions.run(async (tx) => {
      if (await this.personalData.isErased(userId, tx)) return;
      // Two at once both write here, so that one of them has to count again.
      await this.contacts.noteSubscription(userId, tx);
      const subscription = { user, endpoint, keys: { p256dh, auth }, expiresAt, subscribedAt: databaseDate() };
      await this.subscriptions.updateOne({ _id }, { $set: subscription }, { session: tx, upsert: true });
      const oldest = await this.subscriptions
        .find({ user }, { _id: 1 }, { session: tx })
        .sort({ subscribedAt: -1 })
        .skip(MAX_SUBSCRIPTIONS)
        .lean();
      if (oldest.length > 0) {
        await this.subscriptions.deleteMany({ _id: { $in: oldest.map((each) => each._id) }, user }, { session: tx });
      }
    });
    return { id: String(_id) };
  }

  /** @throws NotFoundError */
  async remove(userId: string, id: string, precondition: Precondition): Promise<void> {
    const subscription = await this.find(new Types.ObjectId(userId), id);
    if (!subscription) throw new NotFoundError('There is no such subscription.');
    assertMatches(precondition, NO_ETAG);
    await this.subscriptions.deleteOne({ _id: id, ...ownedBy(userId).filter });
  }

  /** After its push service said that it is over; not if it was renewed meanwhile. */
  async removeEnded({ _id, user, subscribedAt }: PushSubscription): Promise<void> {
    await this.subscriptions.deleteOne({ _id, user, subscribedAt });
  }

  async find(user: Types.ObjectId, id: string): Promise<PushSubscription | null> {
    return await this.subscriptions.findOne({ _id: id, user }).lean<PushSubscription>();
  }

  async findAll(user: Types.ObjectId, tx: ClientSession | null = null): Promise<PushSubscription[]> {
    return await this.subscriptions.find({ user }, null, { session: tx }).lean<PushSubscription[]>();
  }

  async removeAll(userId: string, tx: ClientSession): Promise<void> {
    await this.subscriptions.deleteMany(ownedBy(userId).filter, { session: tx });
  }

  /** Without the keys, which are secrets of the browser's. */
  async exportAll(userId: string): Promise<unknown[]> {
    const all = await this.findAll(new Types.ObjectId(userId));
    return all.map(({ endpoint, subscribedAt, expiresAt }) => ({ endpoint, subscribedAt, expiresAt }));
  }
}
