import type { Document } from 'bson';

/** Reply of insert, update or delete. */
export interface WriteReply extends Document {
  n: number;
  nModified?: number;
  upserted?: { index: number; _id: unknown }[];
  writeErrors?: WriteError[];
}

export interface WriteError extends Document {
  index: number;
  /** The SQLSTATE packed into a number, as the engine gives it. */
  code: number;
  errmsg: string;
}

/**
 * Statements of a batch to make again after some of them lost a race. mongod runs each on its own and repeats it
 * unseen; the engine runs them as one transaction, so that two batches touching the same documents can deadlock.
 * @param count of statements in the batch
 * @returns their positions: those that lost, and in an ordered batch all that had not been run because of it
 */
export function positionsToRepeat(
  reply: WriteReply,
  count: number,
  ordered: boolean,
  isRace: (error: WriteError) => boolean,
): number[] {
  const lost = (reply.writeErrors ?? []).filter(isRace).map(({ index }) => index);
  if (!ordered || lost.length === 0) return lost;
  return Array.from({ length: count - lost[0]! }, (_, offset) => lost[0]! + offset);
}

/** The batch's reply with that of one repeated statement worked into it; the statement's old error is dropped. */
export function mergeReplies(batch: WriteReply, again: WriteReply, position: number): WriteReply {
  const inBatch = <T extends { index: number }>(entry: T): T => ({ ...entry, index: position });
  const { upserted: oldUpserted = [], writeErrors: oldErrors = [], ...counts } = batch;
  const upserted = [...oldUpserted, ...(again.upserted ?? []).map(inBatch)];
  const others = oldErrors.filter(({ index }) => index !== position);
  const writeErrors = [...others, ...(again.writeErrors ?? []).map(inBatch)].sort((a, b) => a.index - b.index);
  return {
    ...counts,
    n: Number(batch.n) + Number(again.n),
    ...(batch.nModified === undefined ? {} : { nModified: Number(batch.nModified) + Number(again.nModified ?? 0) }),
    ...(upserted.length > 0 ? { upserted } : {}),
    ...(writeErrors.length > 0 ? { writeErrors } : {}),
  };
}
