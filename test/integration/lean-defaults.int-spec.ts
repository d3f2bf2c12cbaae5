import { getConnectionToken } from '@nestjs/mongoose';
import { type Connection, Schema, Types } from 'mongoose';
import { buildParts } from '../support/parts.js';

interface Thing {
  _id: Types.ObjectId;
  name: string;
  size: number;
  sizeUnit: string;
  labels: string[];
  place: { shelf: string; row: number };
}

const ThingSchema = new Schema<Thing>(
  {
    name: { type: String, required: true },
    size: { type: Number, default: 1 },
    sizeUnit: { type: String, default: 'mm' },
    labels: [String],
    place: { shelf: String, row: { type: Number, default: 0 } },
  },
  { versionKey: false },
);

/** Written before the schema had anything but a name. */
const old = { _id: new Types.ObjectId(), name: 'old' };
const complete = { ...old, size: 1, sizeUnit: 'mm', labels: [], place: { row: 0 } };
const modelOn = (connection: Connection) => connection.model('Thing', ThingSchema);
let things: ReturnType<typeof modelOn>;

beforeAll(async () => {
  const app = await buildParts();
  things = modelOn(app.get<Connection>(getConnectionToken()));
});
beforeEach(async () => {
  await things.collection.deleteMany({});
  await things.collection.insertOne({ ...old });
});

it.each<[string, () => Promise<unknown>]>([
  ['find', async () => (await things.find().lean())[0]],
  ['findOne', () => things.findOne().lean()],
  ['findById', () => things.findById(old._id).lean()],
  [
    'findOneAndUpdate',
    () => things.findOneAndUpdate({}, { $set: { name: 'old' } }, { returnDocument: 'after' }).lean(),
  ],
  ['findOneAndDelete', () => things.findOneAndDelete({}).lean()],
  ['a cursor', () => things.find().lean().cursor().next()],
])('a lean document of %s has the defaults that its schema has got since', async (_name, read) => {
  expect(await read()).toEqual(complete);
});

it('what is stored is left as it is', async () => {
  await things.collection.updateOne({}, { $set: { size: 7, labels: ['a'], place: { shelf: 'b', row: 3 } } });
  const stored = { ...complete, size: 7, labels: ['a'], place: { shelf: 'b', row: 3 } };
  expect(await things.findOne().lean()).toEqual(stored);
});

it.each([
  [{ size: 1 }, { _id: old._id, size: 1 }],
  [{ sizeUnit: 1, _id: 0 }, { sizeUnit: 'mm' }],
  [{ 'place.shelf': 1 }, { _id: old._id }],
  [{ name: 1, createdAt: 1 }, old],
  [
    { size: 0, name: 0 },
    { _id: old._id, sizeUnit: 'mm', labels: [], place: { row: 0 } },
  ],
])('what the projection %j leaves out stays out', async (projection, expected) => {
  expect(await things.findOne({}, projection).lean()).toEqual(expected);
});

it('nothing that is not there is read as a document', async () => {
  expect(await things.findOne({ name: 'none' }).lean()).toBeNull();
  expect(await things.find({ name: 'none' }).lean()).toEqual([]);
});
