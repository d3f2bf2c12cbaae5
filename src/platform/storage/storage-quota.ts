import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, Types } from 'mongoose';
import { ProblemError } from '../../common/errors/problem.js';
import { FilesEnvironment } from '../../config/areas/files.environment.js';
import { Transactions } from '../database/transactions.js';
import { StorageReservation, StorageUsage } from './storage-usage.schema.js';

export class StorageQuotaExceededError extends ProblemError {
  constructor(limit: number) {
    super('LIMIT_REACHED', `Your files may have ${limit} bytes in all: delete some first.`);
  }
}

/**
 * Limits how many bytes each user's files have in the store (`QUOTA_FILES_BYTES`). An object counts from the moment its
 * upload is allowed, uploaded or not, until it is removed from the store.
 */
@Injectable()
export class StorageQuota {
  constructor(
    @InjectModel(StorageUsage.name) private readonly usages: Model<StorageUsage>,
    @InjectModel(StorageReservation.name) private readonly reservations: Model<StorageReservation>,
    private readonly transactions: Transactions,
    private readonly environment: FilesEnvironment,
  ) {}

  /**
   * Reserves the bytes of a new object in the transaction that allows its upload. Of two that reserve at once, one is
   * repeated by its transaction, so that together they can't exceed the limit.
   *
   * @param path the segments of the object's key: owner, user, and the rest
   * @throws StorageQuotaExceededError
   */
  async reserve(path: readonly string[], size: number, tx: ClientSession): Promise<void> {
    const user = userOf(path);
    const limit = this.environment.QUOTA_FILES_BYTES;
    const options = { session: tx, upsert: true, returnDocument: 'after' } as const;
    const usage = await this.usages.findOneAndUpdate({ _id: user }, { $inc: { bytes: size } }, options).lean();
    if (usage.bytes > limit) throw new StorageQuotaExceededError(limit);
    await this.reservations.create([{ _id: path.join('/'), user, size }], { session: tx });
  }

  /**
   * Releases the bytes of removed objects; of those released before, nothing.
   *
   * @param path the segments of their keys, or those that their keys begin with
   */
  async release(path: readonly string[]): Promise<void> {
    const user = userOf(path);
    const key = path.join('/');
    // 0 is the character behind the slash: so these are all keys that go on with a slash.
    const removed = { user, $or: [{ _id: key }, { _id: { $gte: `${key}/`, $lt: `${key}0` } }] };
    await this.transactions.run(async (tx) => {
      const found = await this.reservations.find(removed, { size: 1 }, { session: tx }).lean();
      if (found.length === 0) return;
      await this.reservations.deleteMany({ user, _id: { $in: found.map(({ _id }) => _id) } }, { session: tx });
      const bytes = found.reduce((sum, { size }) => sum + size, 0);
      await this.usages.updateOne({ _id: user }, { $inc: { bytes: -bytes } }, { session: tx });
      await this.usages.deleteOne({ _id: user, bytes: { $lte: 0 } }, { session: tx });
    });
  }
}

function userOf([, user]: readonly string[]): Types.ObjectId {
  return new Types.ObjectId(user);
}
