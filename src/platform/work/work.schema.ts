import { Prop } from '@nestjs/mongoose';
import type { Types } from 'mongoose';
import { databaseDate } from '../database/database-clock.js';
import { currentTraceparent } from '../observability/tracing/spans.js';

/**
 * `ready`: due at `availableAt`. `parked`: failed too often, waits for an operator. `failed`: can never succeed.
 * `done`: kept for the record.
 */
export type WorkState = 'ready' | 'parked' | 'failed' | 'done';

/** The fields of durable work; a schema of claimable documents extends it. */
export abstract class WorkItem {
  _id!: Types.ObjectId;

  @Prop({ type: String, required: true, default: 'ready' })
  state!: WorkState;

  /** Due from then on. A claim moves it to the end of its lease, so a lost worker's item comes due again by itself. */
  @Prop({ required: true, default: () => databaseDate() })
  availableAt!: Date;

  /** A random id of the last claim; null when released. A failure is recorded under it alone, a success in any case. */
  @Prop({ type: String, default: null })
  lease!: string | null;

  @Prop({ required: true, default: 0 })
  attempts!: number;

  /** How often processes of a release that doesn't know what it is for have left it to others. */
  @Prop({ type: Number })
  timesLeft?: number;

  @Prop({ type: String, default: null })
  lastError!: string | null;

  /** Or when it was to be due first, where that is planned: its age is told from then on. */
  @Prop({ required: true, default: () => databaseDate() })
  createdAt!: Date;

  /** What it is a part of (W3C Trace Context); null where that isn't traced, or was over long before. */
  @Prop({ type: String, default: currentTraceparent })
  traceparent!: string | null;
}

/** The fields of an item that is due at `time` and hasn't been worked on; what is planned begins a trace of its own. */
export function dueAt(time: Date) {
  return {
    state: 'ready',
    availableAt: time,
    createdAt: time,
    lease: null,
    attempts: 0,
    lastError: null,
    traceparent: null,
  } as const;
}

/** The index that claiming needs. */
export const WORK_INDEX = { state: 1, availableAt: 1 } as const;
