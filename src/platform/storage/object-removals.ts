import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, Reflector } from '@nestjs/core';
import { InjectModel } from '@nestjs/mongoose';
import type { ClientSession, Model } from 'mongoose';
import { databaseDate } from '../database/database-clock.js';
import { Transactions } from '../database/transactions.js';
import { WorkHandler } from '../work/work-handler.decorator.js';
import { WorkQueues } from '../work/work-queues.js';
import { ObjectRemoval } from './object-removal.schema.js';
import { ObjectStorage, UPLOADS_END_MS } from './object-storage.js';
import { StorageQuota } from './storage-quota.js';

const QUEUE = 'object-removals';
const CONCURRENCY = 4;
/** With the queue's backoff that is about a week of trying. */
const MAX_ATTEMPTS = 1000;
/** A person's files are deleted in one piece, however many they are. */
const LEASE_MS = 10 * 60_000;

/** A module that keeps objects. */
export interface ObjectOwner {
  /**
   * Decides, when the time has come, whether objects are to go. Where it says so they must be out of everybody's reach:
   * nothing may begin to use them again.
   *
   * @param path the segments of the keys behind the owner's name, or those they begin with
   */
  isUnused(path: string[]): Promise<boolean>;
}

/** Marks a provider (an `ObjectOwner`) as the one that decides on objects whose keys begin with this segment. */
export const OwnsObjects = Reflector.createDecorator<string>();

/**
 * Removes objects that nobody needs, as durable work. What is in use is decided when the work is done, not when it is
 * ordered: so a removal may be ordered for everything that could have become unused, early, twice, or in any order.
 */
@Injectable()
export class ObjectRemovals implements OnModuleInit {
  private readonly owners = new Map<string, ObjectOwner>();

  constructor(
    @InjectModel(ObjectRemoval.name) private readonly removals: Model<ObjectRemoval>,
    private readonly storage: ObjectStorage,
    private readonly quota: StorageQuota,
    private readonly transactions: Transactions,
    private readonly work: WorkQueues,
    private readonly discovery: DiscoveryService,
    private readonly reflector: Reflector,
  ) {}

  /** Looks after the objects at `[owner, ...path]` at `dueAt`, once the transaction is committed. */
  async add([owner, ...path]: string[], dueAt: Date, tx: ClientSession): Promise<void> {
    await this.removals.create([{ owner, path, availableAt: dueAt }], { session: tx });
    this.transactions.afterCommit(() => this.work.nudge(QUEUE), tx);
  }

  /** Removes the object at `[owner, ...path]` now, and has the store refuse what is still uploaded with its URL. */
  async addUploadable([owner, ...path]: string[], tx: ClientSession): Promise<void> {
    await this.removals.create([{ owner, path, uploadable: true }], { session: tx });
    this.transactions.afterCommit(() => this.work.nudge(QUEUE), tx);
  }

  onModuleInit(): void {
    for (const { instance, metatype } of this.discovery.getProviders()) {
      const name = metatype && this.reflector.get(OwnsObjects, metatype);
      if (name) this.owners.set(name, instance as ObjectOwner);
    }
  }

  @WorkHandler(({ owners }: ObjectRemovals) => ({
    queue: QUEUE,
    items: ObjectRemoval,
    concurrency: CONCURRENCY,
    maxAttempts: MAX_ATTEMPTS,
    whenDone: 'delete',
    leaseMs: LEASE_MS,
    // A process that serves only some modules leaves the others' objects to those that can judge them.
    scope: { owner: { $in: [...owners.keys()] } },
  }))
  async remove({ owner, path, uploadable }: ObjectRemoval): Promise<void> {
    if (!(await this.owners.get(owner)?.isUnused(path))) return;
    const key = [owner, ...path].join('/');
    if (uploadable) {
      await this.storage.block(key);
      await this.removals.create({ owner, path, availableAt: databaseDate(UPLOADS_END_MS) });
    } else {
      await this.storage.deleteAll(key);
    }
    await this.quota.release([owner, ...path]);
  }
}
