import { type ClientSession, type Model, Schema, SchemaTypes, Types } from 'mongoose';
import { invalidatesCache, takePending } from '../../src/platform/cache/invalidates-cache.js';
import { connect, modelOf } from '../support/parts.js';

interface Note {
  user: Types.ObjectId;
  text: string;
}

const NoteSchema = new Schema<Note>({ user: SchemaTypes.ObjectId, text: String });
NoteSchema.plugin(invalidatesCache, { scope: 'notifications', owner: 'user' });

const user = new Types.ObjectId();
let notes: Model<Note>;
beforeAll(async () => {
  notes = await modelOf(await connect(), 'Note', NoteSchema);
});

/** What work in a transaction has made out of date. */
async function pendingAfter(work: (session: ClientSession) => Promise<unknown>): Promise<string[]> {
  return await notes.db.transaction(async (session) => {
    await work(session);
    return takePending(session);
  });
}

type Write = (session: ClientSession) => Promise<unknown>;
const writes: [string, Write][] = [
  ['create', (session) => notes.create([{ user, text: 'x' }], { session })],
  ['save', (session) => new notes({ user, text: 'x' }).save({ session })],
  ['updateOne', (session) => notes.updateOne({ user }, { $set: { text: 'y' } }, { session }).exec()],
  ['an upsert', (session) => notes.updateOne({ user }, { $set: { text: 'y' } }, { session, upsert: true }).exec()],
  ['updateMany', (session) => notes.updateMany({ user: String(user) }, { $set: { text: 'y' } }, { session }).exec()],
  ['replaceOne', (session) => notes.replaceOne({ user }, { user, text: 'z' }, { session }).exec()],
  ['findOneAndUpdate', (session) => notes.findOneAndUpdate({ user }, { $set: { text: 'y' } }, { session }).exec()],
  ['findOneAndDelete', (session) => notes.findOneAndDelete({ user }, { session }).exec()],
  ['insertMany', (session) => notes.insertMany([{ user, text: 'x' }], { session })],
  [
    'bulkWrite of updates',
    (session) => notes.bulkWrite([{ updateMany: { filter: { user }, update: { text: 'y' } } }], { session }),
  ],
  [
    'bulkWrite of inserts',
    (session) => notes.bulkWrite([{ insertOne: { document: { user, text: 'x' } } }], { session }),
  ],
  ['deleteOne', (session) => notes.deleteOne({ user }, { session }).exec()],
  ['deleteMany', (session) => notes.deleteMany({ user }, { session }).exec()],
];

it.each(writes)('makes the owner’s answers out of date with %s', async (_, write) => {
  await expect(pendingAfter(write)).resolves.toEqual([`${String(user)}:notifications`]);
});

it('remembers each owner once, and forgets what was taken', async () => {
  const other = new Types.ObjectId();
  const pending = await pendingAfter(async (session) => {
    await notes.create([{ user, text: '1' }], { session });
    await notes.create([{ user, text: '2' }], { session });
    await notes.deleteMany({ user: other }, { session });
    expect(takePending(session)).toEqual([`${String(user)}:notifications`, `${String(other)}:notifications`]);
  });
  expect(pending).toEqual([]);
});

const outside: [string, () => Promise<unknown>][] = [
  ['create', () => notes.create([{ user, text: 'x' }])],
  ['updateOne', () => notes.updateOne({ user }, { $set: { text: 'y' } }).exec()],
  ['deleteMany', () => notes.deleteMany({ user }).exec()],
  ['insertMany', () => notes.insertMany([{ user, text: 'x' }])],
  ['bulkWrite', () => notes.bulkWrite([{ deleteMany: { filter: { user } } }])],
];
it.each(outside)('refuses %s in no transaction', async (_, write) => {
  await expect(write()).rejects.toThrow('runs in no transaction');
});

const ownerless: [string, Write][] = [
  ['nobody', (session) => notes.updateMany({ text: 'x' }, { $set: { text: 'y' } }, { session }).exec()],
  ['nobody, in bulk', (session) => notes.bulkWrite([{ deleteMany: { filter: {} } }], { session })],
  ['many', (session) => notes.deleteMany({ user: { $in: [user] } }, { session }).exec()],
];
it.each(ownerless)('refuses a write whose filter names %s', async (_, write) => {
  await expect(pendingAfter(write)).rejects.toThrow('names no user');
});

it('lets a write pass that no answer shows', async () => {
  const claim = notes.updateOne({ text: 'x' }, { $set: { text: 'y' } }).setOptions({ unseenByCache: true });
  await expect(claim.exec()).resolves.toMatchObject({ acknowledged: true });
});
