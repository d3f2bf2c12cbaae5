import { mongo } from 'mongoose';
import type { Database, Migration } from '../../../platform/migrations/migration.js';
import type { Attachment } from '../schemas/attachment.schema.js';
import { attachmentPath } from '../schemas/attachment.schema.js';

const BATCH_SIZE = 1000;
const COLLECTIONS = ['tasks', 'deletedtasks'];

interface Position {
  collection: string;
  after: mongo.ObjectId;
}

interface StoredTask {
  _id: mongo.ObjectId;
  user: mongo.ObjectId;
  attachments?: Pick<Attachment, 'id' | 'size'>[];
}

/** Counts the bytes of attachments that no reservation counts: those of releases before there was a quota. */
const countAttachmentBytes: Migration['runBatch'] = async ({ db }, position) => {
  const { collection, after } = (position as Position | null) ?? { collection: 'tasks', after: undefined };
  // By `_id` alone: there is no index of the few tasks that have attachments.
  const tasks = await db
    .collection<StoredTask>(collection)
    .find(after ? { _id: { $gt: after } } : {}, { projection: { user: 1, 'attachments.id': 1, 'attachments.size': 1 } })
    .sort({ _id: 1 })
    .limit(BATCH_SIZE)
    .toArray();
  let changed = 0;
  for (const task of tasks) if (task.attachments?.length) changed += await reserve(db, task);
  const last = tasks.at(-1);
  if (last && tasks.length === BATCH_SIZE) return { changed, position: { collection, after: last._id } };
  const next = COLLECTIONS[COLLECTIONS.indexOf(collection) + 1];
  return { changed, position: next ? { collection: next, after: new mongo.ObjectId('0'.repeat(24)) } : null };
};

/** @returns how many attachments were counted */
async function reserve(db: Database, { _id, user, attachments = [] }: StoredTask): Promise<number> {
  return await db.client.withSession((tx) =>
    tx.withTransaction(async () => {
      let [count, bytes] = [0, 0];
      for (const { id, size } of attachments) {
        const key = { _id: attachmentPath(user, _id, id).join('/'), user };
        const { upsertedCount } = await db
          .collection<{ _id: string; user: mongo.ObjectId; size: number }>('storagereservations')
          .updateOne(key, { $setOnInsert: { size } }, { session: tx, upsert: true });
        count += upsertedCount;
        bytes += upsertedCount * size;
      }
      const usages = db.collection<{ _id: mongo.ObjectId; bytes: number }>('storageusages');
      if (count > 0) await usages.updateOne({ _id: user }, { $inc: { bytes } }, { session: tx, upsert: true });
      return count;
    }),
  );
}

/** The contract step counts what instances of the previous release allow meanwhile. */
export const COUNT_ATTACHMENT_BYTES: Migration[] = [
  { id: '0001-attachment-bytes-are-counted', phase: 'expand', runBatch: countAttachmentBytes },
  { id: '0002-all-attachment-bytes-are-counted', phase: 'contract', runBatch: countAttachmentBytes },
];
