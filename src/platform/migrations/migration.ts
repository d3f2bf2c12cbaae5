import type { mongo } from 'mongoose';
import type { KeysEnvironment } from '../../config/areas/keys.environment.js';

export type Database = mongo.Db;

/** What a migration may use. It reads and writes collections by name, since models change from release to release. */
export interface MigrationContext {
  db: Database;
  environment: KeysEnvironment;
  /** When the migration was first started: the same for all its batches, also after an interruption. */
  startedAt: Date;
  /** Tells the operator what a person has to decide. Ids only: no personal data. */
  notice: (message: string) => void;
}

/** What one batch has done. */
export interface BatchResult {
  /** How many documents it changed. */
  changed: number;
  /** Where the next batch begins; null when there is nothing left. Stored in the ledger, so plain BSON. */
  position: unknown;
}

/**
 * One change of stored data. `docs/data.md` explains how to write one.
 *
 * An `expand` step runs before the instances of its release start, while those of the previous release serve. A
 * `contract` step runs when no instance of the previous release serves any more.
 */
export interface Migration {
  /** `0001-what-it-does`: a number of its own within its owner, in the order in which they run. Never changes. */
  id: string;
  phase: 'expand' | 'contract';
  /**
   * Whether instances of this release aren't ready without it. Default: true for an expand step, false for a contract
   * step. The release after the one that introduced a contract step sets it to true: then `cli migrate` runs the step,
   * since the release that serves at that time is the one that introduced it.
   */
  required?: boolean;
  /**
   * Does a bounded piece of the work, a few seconds at most, and is called until its `position` is null. It must be
   * possible to repeat a batch: after an interruption the last one runs again.
   *
   * @param position what the batch before returned; null for the first
   */
  runBatch(context: MigrationContext, position: unknown): Promise<BatchResult>;
}
