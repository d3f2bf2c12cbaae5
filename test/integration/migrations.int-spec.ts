import { getConnectionToken } from '@nestjs/mongoose';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { hash, verify } from '@node-rs/argon2';
import type { Collection } from 'mongodb';
import { type ClientSession, type Connection, Types } from 'mongoose';
import { AuthEnvironment } from '../../src/config/areas/auth.environment.js';
import { KeysEnvironment } from '../../src/config/areas/keys.environment.js';
import { IndexSynchronizer } from '../../src/platform/database/index-synchronizer.js';
import { canonicalAddresses } from '../../src/platform/migrations/canonical-addresses.js';
import { CANONICAL_MAIL_ADDRESSES } from '../../src/modules/auth/migrations/canonical-mail-addresses.js';
import { NORMALISE_PASSWORDS } from '../../src/modules/auth/migrations/normalise-passwords.js';
import { AccountsService } from '../../src/modules/auth/accounts.service.js';
import { REBUILD_SEARCH_WORDS } from '../../src/modules/tasks/migrations/rebuild-search-words.js';
import { PasswordHasher } from '../../src/modules/auth/password-hasher.js';
import { changeDocuments } from '../../src/platform/migrations/document-batches.js';
import { Transactions } from '../../src/platform/database/transactions.js';
import { Outbox } from '../../src/platform/messaging/outbox.js';
import { EmailTakenError } from '../../src/modules/auth/auth.errors.js';
import { ContractSteps } from '../../src/platform/migrations/contract-steps.js';
import { Ledger } from '../../src/platform/migrations/ledger.js';
import type { Migration, MigrationContext } from '../../src/platform/migrations/migration.js';
import { MigrationRegistry } from '../../src/platform/migrations/migration-registry.js';
import { Migrator } from '../../src/platform/migrations/migrator.js';
import { buildParts, deferred, findModel } from '../support/parts.js';

interface Thing {
  _id: number;
  size?: number;
  unit?: string;
}

const THINGS = 1200;
/** Three batches: it gives things that have none a unit. */
const addUnit: Migration = {
  id: '0001-things-have-a-unit',
  phase: 'expand',
  runBatch: changeDocuments({
    collection: 'things',
    filter: { unit: { $exists: false } },
    change: () => ({ $set: { unit: 'mm' } }),
  }),
};
const ID = 'test.0001-things-have-a-unit';

let app: NestFastifyApplication;
let connection: Connection;
let things: Collection<Thing>;
let ledger: Collection<{ _id: string; completedAt: Date | null; position: unknown; changed: number; leaseUntil: Date }>;

beforeAll(async () => {
  app = await buildParts();
  connection = app.get<Connection>(getConnectionToken());
  things = connection.collection<Thing>('things') as unknown as Collection<Thing>;
  ledger = connection.collection('migrations') as unknown as typeof ledger;
});
beforeEach(async () => {
  await ledger.deleteMany({});
  await things.deleteMany({});
  await things.insertMany(Array.from({ length: THINGS }, (_, _id) => ({ _id, size: _id })));
});

/** A runner of its own, as each process is one. */
function migratorOf(owner: string, ...migrations: Migration[]): Migrator {
  const registry = new MigrationRegistry();
  registry.add(owner, migrations);
  return new Migrator(connection, app.get(KeysEnvironment), app.get(IndexSynchronizer), registry, app.get(Ledger));
}

/** The same migration, which notes the positions of its batches. */
function traced(migration: Migration, before: (batch: number) => Promise<void> | void = () => undefined) {
  const positions: unknown[] = [];
  const runBatch: Migration['runBatch'] = async (context, position) => {
    positions.push(position);
    await before(positions.length);
    return await migration.runBatch(context, position);
  };
  return { positions, migration: { ...migration, runBatch } };
}

async function expectCompleted(): Promise<void> {
  const entry = await ledger.findOne({ _id: ID });
  expect(entry).toMatchObject({ changed: THINGS, position: null });
  expect(entry?.completedAt).toBeInstanceOf(Date);
}

const countChanged = () => things.countDocuments({ unit: 'mm' });

describe('a migration', () => {
  it('runs once, in batches, and is recorded', async () => {
    const { migration, positions } = traced(addUnit);
    const reports: number[] = [];
    await migratorOf('test', migration).migrate({
      contract: false,
      report: ({ changed }) => void reports.push(changed),
    });
    expect(await countChanged()).toBe(THINGS);
    expect(positions).toEqual([null, 499, 999]);
    expect(reports).toEqual([500, 1000, THINGS]);
    await expectCompleted();
    await migratorOf('test', migration).migrate({ contract: false });
    expect(positions).toHaveLength(3);
  });

  it('goes on after an interruption with the batch that failed', async () => {
    const failing = traced(addUnit, (batch) => {
      if (batch === 2) throw new Error('cut off');
    });
    await expect(migratorOf('test', failing.migration).migrate({ contract: false })).rejects.toThrow(
      `The migration ${ID} has failed: Error: cut off`,
    );
    expect(await ledger.findOne({ _id: ID })).toMatchObject({ completedAt: null, position: 499, changed: 500 });
    const { migration, positions } = traced(addUnit);
    await migratorOf('test', migration).migrate({ contract: false });
    expect(positions).toEqual([499, 999]);
    expect(await countChanged()).toBe(THINGS);
    expect(await ledger.findOne({ _id: ID })).toMatchObject({ changed: THINGS });
  });

  it('is run by one of several runners, and the others return when it is complete', async () => {
    const runners = Array.from({ length: 3 }, () => traced(addUnit));
    await Promise.all(
      runners.map(async ({ migration }) => {
        await migratorOf('test', migration).migrate({ contract: false });
        expect(await countChanged()).toBe(THINGS);
      }),
    );
    expect(runners.map(({ positions }) => positions.length).sort()).toEqual([0, 0, 3]);
  });

  it('is taken over when the lease of its runner ends, and that one stops', async () => {
    const [reached, goOn] = [deferred(), deferred()];
    const stalled = traced(addUnit, async (batch) => {
      if (batch < 2) return;
      reached.resolve();
      await goOn.promise;
    });
    const first = migratorOf('test', stalled.migration).migrate({ contract: false });
    await reached.promise;
    await ledger.updateOne({ _id: ID }, { $set: { leaseUntil: new Date(0) } });
    const { migration, positions } = traced(addUnit);
    await migratorOf('test', migration).migrate({ contract: false });
    expect(positions).toEqual([499, 999]);
    goOn.resolve();
    await expect(first).rejects.toThrow('Another runner has taken over');
    await expectCompleted();
  });

  it('leaves alone what is written after it has read it', async () => {
    const db = {
      collection: () => ({
        find: things.find.bind(things),
        bulkWrite: async (...args: Parameters<typeof things.bulkWrite>) => {
          await things.updateOne({ _id: 3 }, { $set: { size: 1000 } });
          await things.updateOne({ _id: 4 }, { $set: { unit: 'inch' } });
          return await things.bulkWrite(...args);
        },
      }),
    };
    const run = changeDocuments<{ size: number }>({
      collection: 'things',
      filter: { unit: { $exists: false } },
      fields: ['size'],
      change: ({ size }) => (size % 2 ? { $set: { unit: `${size} mm` } } : { $set: { unit: 'mm' } }),
    });
    const result = await run({ db } as unknown as MigrationContext, null);
    expect(result).toEqual({ changed: 498, position: 499 });
    expect(await things.find({ _id: { $in: [2, 3, 4, 5] } }).toArray()).toEqual([
      { _id: 2, size: 2, unit: 'mm' },
      { _id: 3, size: 1000 },
      { _id: 4, size: 4, unit: 'inch' },
      { _id: 5, size: 5, unit: '5 mm' },
    ]);
  });
});

describe('contract steps', () => {
  const removeSize: Migration = {
    id: '0002-things-have-no-size',
    phase: 'contract',
    runBatch: changeDocuments({
      collection: 'things',
      filter: { size: { $exists: true } },
      change: () => ({ $unset: { size: 1 } }),
    }),
  };
  const countSizes = () => things.countDocuments({ size: { $exists: true } });

  it('are left until they are asked for, since the previous release may serve', async () => {
    const migrator = migratorOf('test', removeSize, addUnit);
    const left = await migrator.migrate({ contract: false });
    expect(left.map(({ id }) => id)).toEqual(['test.0002-things-have-no-size']);
    expect([await countChanged(), await countSizes()]).toEqual([THINGS, THINGS]);
    expect(await migrator.migrate({ contract: true })).toEqual([]);
    expect(await countSizes()).toBe(0);
  });

  it('run with the others once a release requires them', async () => {
    expect(await migratorOf('test', { ...removeSize, required: true }).migrate({ contract: false })).toEqual([]);
    expect(await countSizes()).toBe(0);
  });
});

describe('mail addresses that earlier releases stored in several spellings', () => {
  const emails = () => connection.collection<{ _id: string; account: Types.ObjectId }>('emails');
  const accounts = () => connection.collection<{ _id: Types.ObjectId; email: string }>('accounts');
  beforeEach(async () => {
    await emails().deleteMany({});
    await accounts().deleteMany({});
  });

  /** As the previous release stores an account. @param age in days */
  async function store(email: string, age = 0): Promise<Types.ObjectId> {
    const _id = new Types.ObjectId();
    const createdAt = new Date(Date.now() - age * 86_400_000);
    await emails().insertOne({ _id: email, account: _id });
    await accounts().insertOne({ _id, email, createdAt } as never);
    return _id;
  }

  async function migrate(contract: boolean): Promise<string[]> {
    const notices: string[] = [];
    const notice = (message: string) => void notices.push(message);
    await migratorOf('test', ...CANONICAL_MAIL_ADDRESSES).migrate({ contract, notice });
    return notices;
  }

  const find = (email: string) => app.get(AccountsService, { strict: false }).findByEmail(email);
  const addresses = async () => (await emails().find().sort({ _id: 1 }).toArray()).map(({ _id }) => _id);

  it('are found in both spellings until the contract step, and are canonical after it', async () => {
    const ada = await store('ada@bücher.example');
    const bob = await store('"bob"@example.org');
    const eve = await store('eve@example.org');
    expect((await find('ada@bücher.example'))?._id).toEqual(ada); // not even the expand step has run

    expect(await migrate(false)).toEqual([]);
    expect(await addresses()).toEqual([
      '"bob"@example.org',
      'ada@bücher.example',
      'ada@xn--bcher-kva.example',
      'bob@example.org',
      'eve@example.org',
    ]);
    const late = await store('late@bücher.example'); // by an instance of the previous release
    for (const email of ['ada@bücher.example', 'ada@xn--bcher-kva.example', 'ADA@BÜCHER.EXAMPLE']) {
      expect((await find(email))?._id).toEqual(ada);
    }
    expect((await find('late@bücher.example'))?._id).toEqual(late);

    expect(await migrate(true)).toEqual([]);
    expect(await addresses()).toEqual([
      'ada@xn--bcher-kva.example',
      'bob@example.org',
      'eve@example.org',
      'late@xn--bcher-kva.example',
    ]);
    const stored = Object.fromEntries(
      (await accounts().find().toArray()).map(({ _id, email }) => [String(_id), email]),
    );
    expect(stored).toEqual({
      [String(ada)]: 'ada@xn--bcher-kva.example',
      [String(bob)]: 'bob@example.org',
      [String(eve)]: 'eve@example.org',
      [String(late)]: 'late@xn--bcher-kva.example',
    });
  });

  it.each([
    ['the canonical spelling', 'ada@exam\u00adple.org', 'ada@example.org'],
    ['another spelling', 'ada@example.org', 'ada@exam\u00adple.org'],
    ['a spelling of two that sorts first', 'ada@ⓔxample.org', 'ada@exam\u00adple.org'],
    ['a spelling of two that sorts last', 'ada@exam\u00adple.org', 'ada@ⓔxample.org'],
  ])('belong to the older of two accounts, which is told, also where the younger has %s', async (_, first, second) => {
    const older = await store(first, 2);
    const younger = await store(second, 1);
    await migrate(false);
    const notices = await migrate(true);
    expect(new Set(notices)).toEqual(
      new Set([
        `The accounts ${String(older)} and ${String(younger)} have the same mail address: the first, which is older, keeps it.`,
      ]),
    );
    expect(await emails().find().toArray()).toEqual([{ _id: 'ada@example.org', account: older }]);
    for (const email of ['ada@example.org', first, second]) expect((await find(email))?._id).toEqual(older);
    // The copies in other modules are the same: mail for either account goes to the mailbox that both have.
    const stored = await accounts().find().sort({ createdAt: 1 }).toArray();
    expect(stored.map(({ _id, email }) => [_id, email])).toEqual([
      [older, 'ada@example.org'],
      [younger, 'ada@example.org'],
    ]);
    // As docs/data.md tells an operator who decides otherwise.
    await emails().updateOne({ _id: 'ada@example.org' }, { $set: { account: younger } });
    for (const email of ['ada@example.org', first, second]) expect((await find(email))?._id).toEqual(younger);
  });

  it.each([
    ['users', 'version', 4],
    ['contacts', undefined, 3],
  ])(
    'are canonical in the copies of %s; a version that an ETag shows grows',
    async (collection, versionField, version) => {
      const copies = connection.collection(collection);
      await copies.deleteMany({});
      const usual = { email: 'eve@example.org', version: 3 };
      await copies.insertMany([
        { email: '"ada"@bücher.example', version: 3 },
        usual,
        { email: '"a b"@example.org', version: 3 },
      ]);
      const migrator = migratorOf('copies', canonicalAddresses(collection, versionField));
      await migrator.migrate({ contract: true });
      const fields = { _id: 0, email: 1, version: 1 };
      expect(await copies.find({}, { projection: fields }).sort({ _id: 1 }).toArray()).toEqual([
        { email: 'ada@xn--bcher-kva.example', version },
        { email: 'eve@example.org', version: 3 },
        { email: '"a b"@example.org', version: 3 },
      ]);
    },
  );

  it('are free once an instance of the previous release has moved or removed their account', async () => {
    const [moved, removed] = [await store('moved@bücher.example'), await store('removed@bücher.example')];
    await migrate(false);
    await emails().deleteMany({ _id: { $in: ['moved@bücher.example', 'removed@bücher.example'] } });
    await emails().insertOne({ _id: 'moved@example.org', account: moved });
    await accounts().updateOne({ _id: moved }, { $set: { email: 'moved@example.org' } });
    await accounts().deleteOne({ _id: removed });
    expect(await find('moved@bücher.example')).toBeNull();
    expect(await migrate(true)).toEqual([]);
    expect(await addresses()).toEqual(['moved@example.org']);
  });

  describe('of new accounts', () => {
    const input = { name: 'Ada', passwordHash: 'x', role: 'user', emailVerified: true } as const;
    const run = <T>(work: (session: ClientSession) => Promise<T>) => app.get(Transactions).run(work);
    /** Of a process that has just started. */
    const newService = () =>
      new AccountsService(
        findModel(app, 'Account'),
        findModel(app, 'Email'),
        app.get(Outbox),
        app.get(PasswordHasher, { strict: false }),
        new ContractSteps(app.get(Ledger)),
      );

    it('are stored in both spellings until the contract step, and both are released', async () => {
      const service = newService();
      const create = (email: string) => run((session) => service.create({ ...input, email }, session));
      const account = await create('Ada@Bücher.example');
      expect(await addresses()).toEqual(['ada@bücher.example', 'ada@xn--bcher-kva.example']);
      for (const email of ['ada@bücher.example', 'ada@xn--bcher-kva.example']) {
        await expect(create(email)).rejects.toThrow(EmailTakenError);
      }
      await run((session) => service.changeEmail(account, 'new@bücher.example', session));
      expect(await addresses()).toEqual(['new@bücher.example', 'new@xn--bcher-kva.example']);
      await run(async (session) => service.remove(await service.get(account._id, session), session));
      expect(await addresses()).toEqual([]);

      await migratorOf('auth', ...CANONICAL_MAIL_ADDRESSES).migrate({ contract: true });
      await create('ada@bücher.example');
      expect(await addresses()).toEqual(['ada@xn--bcher-kva.example']);
    });

    it('may be those that an account has left on an instance of the previous release', async () => {
      const service = newService();
      const moved = await store('moved@bücher.example');
      const removed = await store('removed@bücher.example');
      await migrate(false);
      await emails().deleteMany({ _id: { $in: ['moved@bücher.example', 'removed@bücher.example'] } });
      await accounts().updateOne({ _id: moved }, { $set: { email: 'moved@example.org' } });
      await accounts().deleteOne({ _id: removed });
      for (const email of ['moved@bücher.example', 'removed@bücher.example']) {
        expect(await service.isEmailTaken(email)).toBe(false);
        const { _id } = await run((session) => service.create({ ...input, email }, session));
        expect((await service.findByEmail(email))?._id).toEqual(_id);
        expect(await service.isEmailTaken(email)).toBe(true);
      }
    });
  });

  it('stay as they are where they have no canonical spelling', async () => {
    const account = await store('"a b"@example.org');
    await migrate(false);
    expect(await migrate(true)).toEqual([
      `The mail address of the account ${String(account)} has no canonical spelling and stays as it is.`,
    ]);
    expect(await addresses()).toEqual(['"a b"@example.org']);
  });
});

describe('passwords that clients send in NFD', () => {
  const [sent, normal] = ['größe-über-bâteau-ế'.normalize('NFD'), 'größe-über-bâteau-ế'.normalize('NFC')];
  /** Of a process that has just started: it doesn't know yet whether the step has begun. */
  const newHasher = () => new PasswordHasher(app.get(AuthEnvironment), new ContractSteps(app.get(Ledger)));
  const weak = { memoryCost: 8192, timeCost: 1, parallelism: 1 };

  it('are hashed as they were sent until the contract step, and not rehashed for their form', async () => {
    const hasher = newHasher();
    const stored = await hasher.hash(sent);
    expect(await verify(stored, sent)).toBe(true); // as the previous release compares it
    expect(await hasher.verify(stored, sent)).toBe('right');
    expect(await hasher.verify(stored, normal)).toBe('right');
    expect(await hasher.verify(stored, `${sent}!`)).toBe('wrong');
    expect(await hasher.verify(await hash(sent, weak), sent)).toBe('outdated');
  });

  it('are hashed in NFC from the contract step on, and rehashed where they were not', async () => {
    const hasher = newHasher();
    const before = await hasher.hash(sent);
    await migratorOf('auth', NORMALISE_PASSWORDS).migrate({ contract: true });
    expect(await hasher.verify(before, sent)).toBe('outdated');
    const stored = await hasher.hash(sent);
    expect(await verify(stored, normal)).toBe(true);
    expect(await hasher.verify(stored, sent)).toBe('right');
  });
});

it('the search words of tasks that earlier releases stored are rebuilt, and again in the contract step', async () => {
  const tasks = connection.collection('tasks');
  const task = (title: string, words: string) => ({
    ...{ title, description: '', tags: ['a, b'], version: 3 },
    search: { title: words, description: '', tags: 'a b' },
  });
  await tasks.deleteMany({});
  await tasks.insertMany([task('Größe', 'große'), task('文 2文字', '文 2文 文字'), task('Report', 'report')]);
  const titles = async () => (await tasks.find().toArray()).map((each) => (each['search'] as { title: string }).title);
  await migratorOf('test', ...REBUILD_SEARCH_WORDS).migrate({ contract: false });
  const rebuilt = ['grosse große', '文 2 文字 文 字 2文', 'report'];
  expect(await titles()).toEqual(rebuilt);
  expect(await ledger.findOne({ _id: 'test.0003-search-words-are-rebuilt' })).toMatchObject({ changed: 2 });
  expect(await tasks.countDocuments({ version: 3, tags: 'a, b' })).toBe(3);

  await tasks.insertOne(task('Straße', 'straße')); // by an instance of the previous release
  await migratorOf('test', ...REBUILD_SEARCH_WORDS).migrate({ contract: true });
  expect(await titles()).toEqual([...rebuilt, 'strasse straße']);
});

it('a database without any collection of the service has all migrations recorded, none of which runs', async () => {
  const { migration, positions } = traced(addUnit);
  const contract: Migration = { ...migration, id: '0002-later', phase: 'contract' };
  await connection.dropDatabase();
  const migrator = migratorOf('test', migration, contract);
  expect(await migrator.migrate({ contract: false })).toEqual([]);
  expect(await migrator.findPending()).toEqual([]);
  expect(positions).toEqual([]);
  expect(await app.get(IndexSynchronizer).findMissing()).toEqual([]);
});

it('an index that is missing is named, and made', async () => {
  const indexes = app.get(IndexSynchronizer);
  expect(await indexes.findMissing()).toEqual([]);
  await connection.collection('accounts').dropIndex('email_1');
  const textIndex = (await connection.collection('tasks').indexes()).find(({ key }) => '_fts' in key);
  await connection.collection('tasks').dropIndex(textIndex!.name!);
  const missing = await indexes.findMissing();
  expect(missing).toHaveLength(2);
  expect(missing).toContain('accounts {"email":1}');
  await migratorOf('test').migrate({ contract: false });
  expect(await indexes.findMissing()).toEqual([]);
});

describe('the registry', () => {
  it('runs an owner’s migrations in the order of their numbers', () => {
    const registry = new MigrationRegistry();
    registry.add('b', [
      { ...addUnit, id: '0002-b' },
      { ...addUnit, id: '0001-a' },
    ]);
    registry.add('a', [{ ...addUnit, id: '0003-c' }]);
    expect(registry.all.map(({ id }) => id)).toEqual(['a.0003-c', 'b.0001-a', 'b.0002-b']);
  });

  it('refuses a number that is used twice, and an id without one', () => {
    const registry = new MigrationRegistry();
    registry.add('a', [addUnit]);
    expect(() => registry.add('a', [{ ...addUnit, id: '0001-other' }])).toThrow('same number');
    expect(() => registry.add('a', [{ ...addUnit, id: 'first' }])).toThrow('0001-what-it-does');
  });
});
