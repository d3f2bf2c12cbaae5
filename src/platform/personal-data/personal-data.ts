import { Readable } from 'node:stream';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, Reflector } from '@nestjs/core';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, Types } from 'mongoose';
import { requestContext } from '../../common/http/request-context.js';
import { Transactions } from '../database/transactions.js';
import { IdempotencyRecords } from '../idempotency/idempotency-records.js';
import { ProcessEnvironment } from '../../config/areas/process.environment.js';
import type { ModuleName } from '../../contracts/modules.js';
import { databaseDate } from '../database/database-clock.js';
import { RecurringJob } from '../work/recurring-job.decorator.js';
import { assertHoldersExport, DATA_HOLDERS } from './data-holders.js';
import { RemoteExports } from './remote-exports.js';
import { toJson } from './to-json.js';
import { Tombstone } from './tombstone.schema.js';

/** What a module offers for the export of a person's data. */
export interface PersonalDataSource {
  /** All that the module holds of the person, as plain JSON, without secrets; long lists as `rowsOf` gives them. */
  exportPersonalData(userId: string): Promise<unknown>;

  /** Erases all of that, in the transaction; where there is nothing, or nothing any more, it does nothing. */
  erasePersonalData(userId: string, tx: ClientSession): Promise<void>;
}

const BATCH_SIZE = 500;
/** No transaction that began before the erasure can commit after it: MongoDB ends each after a minute. */
const ERASE_AGAIN_AFTER_MS = 90_000;
const ERASE_AGAIN_EVERY_MS = 30_000;
const ERASED_AT_ONCE = 100;

/** The rows of a query one by one, so that they needn't all be in memory at once. */
export async function* rowsOf<T, R>(
  query: { cursor(options: { batchSize: number }): AsyncIterable<T> & { close(): Promise<unknown> } },
  map: (row: T) => R,
): AsyncGenerator<R> {
  // Outside the request: the limit on how long one of its reads may take is none for a stream.
  const cursor = requestContext.exit(() => query.cursor({ batchSize: BATCH_SIZE }));
  try {
    for await (const row of cursor) yield map(row);
  } finally {
    await cursor.close();
  }
}

/** Marks a provider (a `PersonalDataSource`) as the one that exports its module's data, under this name. */
export const ExportsPersonalData = Reflector.createDecorator<ModuleName>();

/** A person's rights over their data: all of it in one piece, and all of it gone for good. */
@Injectable()
export class PersonalData implements OnModuleInit, OnApplicationBootstrap {
  private readonly sources = new Map<ModuleName, PersonalDataSource>();

  constructor(
    @InjectModel(Tombstone.name) private readonly tombstones: Model<Tombstone>,
    private readonly idempotency: IdempotencyRecords,
    private readonly transactions: Transactions,
    private readonly discovery: DiscoveryService,
    private readonly reflector: Reflector,
    private readonly others: RemoteExports,
    private readonly environment: ProcessEnvironment,
    @Inject(DATA_HOLDERS) private readonly holders: ModuleName[],
  ) {}

  /** @throws Error where a module that this process serves and its manifest contradict each other */
  onModuleInit(): void {
    for (const { instance, metatype } of this.discovery.getProviders()) {
      const name = metatype && this.reflector.get(ExportsPersonalData, metatype);
      if (name) this.sources.set(name, instance as PersonalDataSource);
    }
    assertHoldersExport(this.environment.MODULES, this.holders, [...this.sources.keys()]);
  }

  onApplicationBootstrap(): void {
    const answers = [...this.sources].map(([name, source]) => [name, (id: string) => source.exportPersonalData(id)]);
    this.others.serve(new Map(answers as [string, (userId: string) => Promise<unknown>][]));
  }

  /**
   * JSON: when it was made, and what each module holds, by module, those of other processes included.
   *
   * @throws DependencyUnavailableError where one of those doesn't answer
   */
  async export(userId: string): Promise<Readable> {
    const parts = this.holders.map(async (name) => {
      const source = this.sources.get(name);
      return [name, await (source ? source.exportPersonalData(userId) : this.others.ask(name, userId))];
    });
    const data = Object.fromEntries((await Promise.all(parts)) as [string, unknown][]);
    return Readable.from(toJson({ exportedAt: databaseDate().toISOString(), data }), { objectMode: false });
  }

  /** Notes that a user is gone, in the transaction that erases their data; kept answers go with it. */
  async markErased(userId: string, tx: ClientSession): Promise<void> {
    const _id = new Types.ObjectId(userId);
    const mark = {
      $setOnInsert: { at: databaseDate() },
      $set: { eraseAgainAt: databaseDate(ERASE_AGAIN_AFTER_MS) },
    };
    await this.tombstones.updateOne({ _id }, mark, { session: tx, upsert: true });
    await this.idempotency.removeAll(userId, tx);
  }

  /** Whether a user was erased. Modules ask this before they store a copy of a user's data. */
  async isErased(userId: string, tx: ClientSession | null = null): Promise<boolean> {
    return (await this.tombstones.exists({ _id: userId }).session(tx)) !== null;
  }

  /**
   * A request or an event that was under way saw no mark yet, and what it adds conflicts with no deletion: so it is looked for
   * once more when all of that is over.
   */
  @RecurringJob({ name: 'erase-again', everyMs: ERASE_AGAIN_EVERY_MS })
  async eraseAgain(): Promise<void> {
    const due = await this.tombstones
      .find({ eraseAgainAt: { $lte: databaseDate() } })
      .limit(ERASED_AT_ONCE)
      .lean();
    for (const { _id, eraseAgainAt } of due) {
      await this.transactions.run(async (tx) => {
        for (const source of this.sources.values()) await source.erasePersonalData(String(_id), tx);
        await this.tombstones.updateOne({ _id, eraseAgainAt }, { $unset: { eraseAgainAt: 1 } }, { session: tx });
      });
    }
  }
}
