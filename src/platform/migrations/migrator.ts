import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { InjectConnection } from '@nestjs/mongoose';
import type { Connection } from 'mongoose';
import { KeysEnvironment } from '../../config/areas/keys.environment.js';
import { IndexSynchronizer } from '../database/index-synchronizer.js';
import { type ClaimedMigration, Ledger } from './ledger.js';
import type { Database } from './migration.js';
import { MigrationRegistry, type RegisteredMigration } from './migration-registry.js';

const WAIT_MS = 500;

/** How far a migration has come; `waiting`: another runner works on it. */
export interface MigrationProgress {
  id: string;
  state: 'running' | 'waiting' | 'completed';
  /** Documents changed so far. */
  changed: number;
}

export interface MigrateOptions {
  /** Also runs the contract steps that aren't required yet: no instance of the previous release may serve. */
  contract: boolean;
  report?: (progress: MigrationProgress) => void;
  /** Gets what a migration has to tell an operator. Default: the log. */
  notice?: (message: string) => void;
}

type Tell = Pick<Required<MigrateOptions>, 'report' | 'notice'>;

/** Brings the database to the state that this release needs: collections, indexes and migrated data. */
@Injectable()
export class Migrator {
  private readonly logger = new Logger(Migrator.name);

  constructor(
    @InjectConnection() private readonly connection: Connection,
    private readonly environment: KeysEnvironment,
    private readonly indexes: IndexSynchronizer,
    private readonly registry: MigrationRegistry,
    private readonly ledger: Ledger,
  ) {}

  /**
   * Creates missing collections and indexes, then runs pending migrations in order, one runner at a time. It can be
   * interrupted and run again. In a database without any collection of the service's all migrations are recorded as
   * completed, since there is nothing to change.
   *
   * @returns the contract steps that are left for later
   * @throws Error of the first migration that fails; what was done stays done
   */
  async migrate({
    contract,
    report = () => undefined,
    notice = (message) => this.logger.warn(message),
  }: MigrateOptions): Promise<RegisteredMigration[]> {
    if (await this.isFresh()) await this.ledger.recordCompleted(this.registry.all.map(({ id }) => id));
    await this.indexes.synchronize();
    const pending = await this.findPending();
    const runnable = pending.filter(({ phase, required }) => contract || required || phase === 'expand');
    for (const migration of runnable) await this.complete(migration, { report, notice });
    return pending.filter((migration) => !runnable.includes(migration));
  }

  /** The migrations that aren't recorded as completed, in the order in which they run. */
  async findPending(): Promise<RegisteredMigration[]> {
    const { all } = this.registry;
    const completed = await this.ledger.completed(all.map(({ id }) => id));
    return all.filter(({ id }) => !completed.has(id));
  }

  private get db(): Database {
    if (!this.connection.db) throw new Error('the connection has no database');
    return this.connection.db;
  }

  private async isFresh(): Promise<boolean> {
    if (this.registry.all.length === 0) return false;
    const own = new Set(Object.values(this.connection.models).map((model) => model.collection.name));
    const existing = await this.db.listCollections({}, { nameOnly: true }).toArray();
    return !existing.some(({ name }) => own.has(name));
  }

  /** Runs a migration to its end, or waits until another runner has. */
  private async complete(migration: RegisteredMigration, tell: Tell): Promise<void> {
    const { id } = migration;
    for (;;) {
      const claimed = await this.ledger.claim(id);
      if (claimed) return await this.run(migration, claimed, tell);
      const entry = await this.ledger.find(id);
      if (entry?.completedAt) return;
      // No longer than the other's lease, unless that one makes progress.
      tell.report({ id, state: 'waiting', changed: entry?.changed ?? 0 });
      await delay(WAIT_MS);
    }
  }

  private async run(
    migration: RegisteredMigration,
    claimed: ClaimedMigration,
    { report, notice }: Tell,
  ): Promise<void> {
    const { id } = migration;
    const context = { db: this.db, environment: this.environment, startedAt: claimed.startedAt, notice };
    let { position, changed } = claimed;
    try {
      do {
        const batch = await migration.runBatch(context, position);
        await this.ledger.record(claimed, batch);
        position = batch.position;
        changed += batch.changed;
        report({ id, state: position === null ? 'completed' : 'running', changed });
      } while (position !== null);
    } catch (error) {
      await this.ledger.release(claimed).catch(() => undefined); // the lease ends by itself
      throw new Error(`The migration ${id} has failed: ${String(error)}`, { cause: error });
    }
  }
}
