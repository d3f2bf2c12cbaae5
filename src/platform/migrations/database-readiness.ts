import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { IndexSynchronizer } from '../database/index-synchronizer.js';
import { Migrator } from './migrator.js';

const CHECKED_AT_MOST_EVERY_MS = 5000;

/**
 * Whether the database has the migrations and indexes that this release requires. Checked when the process starts; while
 * something is missing, again when readiness is asked for. Once all is there it is never checked again.
 */
@Injectable()
export class DatabaseReadiness implements OnApplicationBootstrap {
  private readonly logger = new Logger(DatabaseReadiness.name);
  private readonly missing = new Gauge({
    name: 'database_upgrade_missing',
    help: 'Required migrations and indexes that the database lacks; the instance is not ready unless it is 0',
    labelNames: ['kind'],
    aggregator: 'max',
  });
  private complete = false;
  private checkedAt = 0;
  private checking?: Promise<void>;
  private reported = '';

  constructor(
    private readonly migrator: Migrator,
    private readonly indexes: IndexSynchronizer,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.check();
  }

  /** Answers at once, by the last check. */
  get isReady(): boolean {
    if (!this.complete && Date.now() - this.checkedAt > CHECKED_AT_MOST_EVERY_MS) void this.check();
    return this.complete;
  }

  private check(): Promise<void> {
    return (this.checking ??= this.look().finally(() => {
      this.checking = undefined;
      this.checkedAt = Date.now();
    }));
  }

  private async look(): Promise<void> {
    try {
      const pending = await this.migrator.findPending();
      const migrations = pending.filter(({ required }) => required).map(({ id }) => id);
      const indexes = await this.indexes.findMissing();
      this.missing.set({ kind: 'migration' }, migrations.length);
      this.missing.set({ kind: 'index' }, indexes.length);
      this.complete = migrations.length + indexes.length === 0;
      this.report([...migrations.map((id) => `migration ${id}`), ...indexes.map((name) => `index ${name}`)].join(', '));
    } catch {
      // The database doesn't answer, which readiness says anyway.
    }
  }

  /** One line when something is missing, and one when it is there. */
  private report(missing: string): void {
    if (missing === this.reported) return;
    this.reported = missing;
    if (missing === '') this.logger.log('ready: the database has all migrations and indexes');
    else this.logger.warn(`not ready: the database lacks ${missing}; run: node dist/cli.js migrate`);
  }
}
