import mongoose from 'mongoose';
import { openDatabase } from './support/database.js';
import type { TestDatabase } from './support/database.js';

const userSchema = new mongoose.Schema({ email: { type: String, unique: true } }, { timestamps: true });
const taskSchema = new mongoose.Schema(
  {
    owner: { type: mongoose.Schema.Types.ObjectId, ref: 'User' },
    title: String,
    deletedAt: { type: Date, default: null },
  },
  { timestamps: true, optimisticConcurrency: true },
);
taskSchema.index({ owner: 1, createdAt: -1, _id: -1 }, { partialFilterExpression: { deletedAt: null } });

const userModel = (connection: mongoose.Connection) => connection.model('User', userSchema);
const taskModel = (connection: mongoose.Connection) => connection.model('Task', taskSchema);

describe('mongoose', () => {
  let test: TestDatabase;
  let connection: mongoose.Connection;
  let User: ReturnType<typeof userModel>;
  let Task: ReturnType<typeof taskModel>;

  beforeAll(async () => {
    test = await openDatabase();
    connection = await mongoose.createConnection(test.gateway.uri, { dbName: test.db.databaseName }).asPromise();
    User = userModel(connection);
    Task = taskModel(connection);
    await Promise.all(Object.values(connection.models).map((model) => model.init()));
  });
  afterAll(async () => {
    await connection.close();
    await test.close();
  });

  it('finds nothing to change in the indexes it has made', async () => {
    for (const model of Object.values(connection.models)) {
      expect(await model.diffIndexes()).toEqual({ toDrop: [], toCreate: [] });
    }
  });

  it('populates references', async () => {
    const owner = await User.create({ email: 'populate@example.org' });
    await Task.create({ owner: owner._id, title: 'first' });
    const task = await Task.findOne({ owner: owner._id }).populate('owner').lean<{ owner: { email: string } }>();
    expect(task?.owner.email).toBe('populate@example.org');
  });

  it('refuses to save a version that somebody else has changed', async () => {
    const { _id } = await Task.create({ title: 'a' });
    const [mine, theirs] = [await Task.findById(_id), await Task.findById(_id)];
    theirs!.set('title', 'theirs');
    await theirs!.save();
    mine!.set('title', 'mine');
    await expect(mine!.save()).rejects.toThrow(mongoose.Error.VersionError);
  });

  it('takes a transaction back when its callback throws', async () => {
    const failed = connection.transaction(async (session) => {
      await User.create([{ email: 'gone@example.org' }], { session });
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');
    expect(await User.exists({ email: 'gone@example.org' })).toBeNull();
  });

  it('streams a cursor', async () => {
    await Task.insertMany(Array.from({ length: 250 }, (_, n) => ({ title: `stream ${n}` })));
    let count = 0;
    for await (const task of Task.find({ title: /^stream/ }).cursor({ batchSize: 40 })) if (task) count++;
    expect(count).toBe(250);
  });
});
