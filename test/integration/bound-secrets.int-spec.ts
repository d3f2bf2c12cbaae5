import { getConnectionToken } from '@nestjs/mongoose';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Connection, type Model, Types } from 'mongoose';
import { SecretBox } from '../../src/common/crypto/secret-box.js';
import { KeysEnvironment } from '../../src/config/areas/keys.environment.js';
import { AccountsService } from '../../src/modules/auth/accounts.service.js';
import { MfaCodes } from '../../src/modules/auth/mfa-codes.js';
import { BIND_MFA_SECRETS } from '../../src/modules/auth/migrations/bind-mfa-secrets.js';
import { EmailChannel } from '../../src/modules/notifications/email/email-channel.js';
import { SmsChannel } from '../../src/modules/notifications/sms/sms-channel.js';
import { IndexSynchronizer } from '../../src/platform/database/index-synchronizer.js';
import { Transactions } from '../../src/platform/database/transactions.js';
import { OneTimeSecrets } from '../../src/platform/messaging/one-time-secrets.js';
import { ContractSteps } from '../../src/platform/migrations/contract-steps.js';
import { Ledger } from '../../src/platform/migrations/ledger.js';
import type { Migration } from '../../src/platform/migrations/migration.js';
import { MigrationRegistry } from '../../src/platform/migrations/migration-registry.js';
import { Migrator } from '../../src/platform/migrations/migrator.js';
import { heldClaim } from '../support/claims.js';
import { buildParts, findModel } from '../support/parts.js';
import { codeOf } from '../support/totp.js';

type Account = Parameters<MfaCodes['use']>[0];
type Delivery = Parameters<EmailChannel['send']>[0];

const SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const UNREADABLE = { code: 'INTERNAL', message: expect.stringContaining('recovery code') as string };

let app: NestFastifyApplication;
let accounts: Model<Account>;
let connection: Connection;
let box: SecretBox;
/** As a process that has just started: it doesn't know yet whether the step has begun. */
let codes: MfaCodes;
let secrets: OneTimeSecrets;

const codesWith = (current: SecretBox) =>
  new MfaCodes(app.get(AccountsService, { strict: false }), current, new ContractSteps(app.get(Ledger)));

beforeAll(async () => {
  app = await buildParts({ SMS_COUNTRIES: 'AT' });
  accounts = findModel<Account>(app, 'Account');
  connection = app.get<Connection>(getConnectionToken());
  box = app.get(SecretBox);
});
/** With nothing migrated: a database that the previous release may serve, too. */
beforeEach(async () => {
  await connection.collection('migrations').deleteMany({});
  await accounts.deleteMany({});
  codes = codesWith(box);
  secrets = new OneTimeSecrets(box, new ContractSteps(app.get(Ledger)));
});

/** As the previous release encrypts and decrypts it. */
const unbound = (secret = SECRET) => box.encrypt('mfa-secret', secret);
const asPreviousRelease = (sealed: string) => box.decrypt('mfa-secret', sealed);

function newAccount(changes: Partial<Account> = {}) {
  const _id = new Types.ObjectId();
  return { _id, email: `${String(_id)}@example.org`, name: 'Ada', passwordHash: 'x', version: 1, ...changes };
}

const withFactor = (secret: string) => newAccount({ mfa: { secret, lastStep: 0, recoveryCodes: [] } });

async function get({ _id }: Pick<Account, '_id'>): Promise<Account> {
  return (await accounts.findById(_id).lean())!;
}

async function useCode(account: Pick<Account, '_id'>): Promise<Account> {
  const current = await get(account);
  return await app.get(Transactions).run((session) => codes.use(current, codeOf(SECRET), session));
}

/** Runs the contract step; a runner of its own, as each process is one. */
async function contract(migration: Migration = BIND_MFA_SECRETS): Promise<void> {
  const registry = new MigrationRegistry();
  registry.add('auth', [migration]);
  const parts = [connection, app.get(KeysEnvironment), app.get(IndexSynchronizer), registry, app.get(Ledger)] as const;
  await new Migrator(...parts).migrate({ contract: true });
}

const countBound = () => accounts.countDocuments({ 'mfa.secret': /^v2\./ });

describe('before the contract step', () => {
  it('a second factor is stored as the previous release reads it, and used as it has stored it', async () => {
    const account = newAccount();
    const pendingMfaSecret = await codes.encryptPending(account as Account, SECRET);
    expect(asPreviousRelease(pendingMfaSecret)).toBe(SECRET);
    const confirmed = await codes.confirm({ ...account, pendingMfaSecret } as Account, codeOf(SECRET));
    expect(asPreviousRelease(confirmed?.secret ?? '')).toBe(SECRET);

    const [old] = await accounts.create([withFactor(unbound())]);
    expect((await useCode(old!)).mfa?.lastStep).toBeGreaterThan(0);
  });

  it('keys rotate, and the previous release can read what was re-encrypted', async () => {
    const [first, second] = [app.get(KeysEnvironment).APP_SECRETS![0]!, 'the next secret '.repeat(3)];
    const rotated = new SecretBox({ APP_SECRETS: [second, first] });
    const rotatedCodes = codesWith(rotated);
    const [old] = await accounts.create([withFactor(unbound())]);
    expect([await rotatedCodes.reencryptSecrets(), await rotatedCodes.reencryptSecrets()]).toEqual([1, 0]);
    const readsNext = new SecretBox({ APP_SECRETS: [second] });
    expect(readsNext.decrypt('mfa-secret', (await get(old!)).mfa!.secret)).toBe(SECRET);

    await contract();
    await accounts.updateOne({ _id: old!._id }, { $set: { 'mfa.secret': unbound() } }); // written at that moment
    expect([await rotatedCodes.reencryptSecrets(), await rotatedCodes.reencryptSecrets()]).toEqual([1, 0]);
    const owner = { owner: String(old!._id), field: 'mfa.secret' };
    expect(readsNext.decrypt('mfa-secret', (await get(old!)).mfa!.secret, owner)).toBe(SECRET);
    expect(await countBound()).toBe(1);
  });

  it('a token is encrypted as the previous release reads it, and decrypted as it has encrypted it', async () => {
    const message = { userId: 'ada', event: 'account.password-reset', to: 'ada@example.org' } as const;
    expect(box.decrypt('one-time-token', await secrets.encrypt('a token', message))).toBe('a token');
    expect(secrets.decrypt(box.encrypt('one-time-token', 'a token'), message)).toBe('a token');
  });
});

describe('the contract step', () => {
  it('binds all secrets, goes on after an interruption, and finds nothing the second time', async () => {
    const lost = new SecretBox({ APP_SECRETS: ['a lost secret'] }).encrypt('mfa-secret', SECRET);
    await accounts.insertMany([
      ...Array.from({ length: 600 }, () => withFactor(unbound())),
      withFactor(lost),
      newAccount({ pendingMfaSecret: unbound() }),
      newAccount(),
    ]);
    let batches = 0;
    const interrupted: Migration['runBatch'] = (context, position) => {
      if (++batches === 2) throw new Error('cut off');
      return BIND_MFA_SECRETS.runBatch(context, position);
    };
    await expect(contract({ ...BIND_MFA_SECRETS, runBatch: interrupted })).rejects.toThrow('cut off');
    expect(await countBound()).toBe(500);

    await contract();
    expect(await countBound()).toBe(600);
    expect(await accounts.countDocuments({ pendingMfaSecret: /^v2\./ })).toBe(1);
    expect(await accounts.countDocuments({ 'mfa.secret': lost })).toBe(1);
    const ledger = app.get(Ledger);
    expect((await ledger.find('auth.0001-mfa-secrets-are-bound'))?.changed).toBe(601);
    await connection.collection('migrations').deleteMany({});
    await contract();
    expect((await ledger.find('auth.0001-mfa-secrets-are-bound'))?.changed).toBe(0);

    const [one, other] = await accounts.find({ 'mfa.secret': /^v2\./ }).limit(2).lean();
    expect((await useCode(one!)).mfa?.lastStep).toBeGreaterThan(0);
    await accounts.updateOne({ _id: one!._id }, { $set: { 'mfa.secret': other!.mfa!.secret } });
    await expect(useCode(one!)).rejects.toMatchObject(UNREADABLE);
    const unreadable = await accounts.findOne({ 'mfa.secret': lost }).lean();
    await expect(useCode(unreadable!)).rejects.toMatchObject(UNREADABLE);
  });

  it('undoes no code that is used meanwhile, and the use of a code undoes no binding', async () => {
    const [account] = await accounts.create([withFactor(unbound())]);
    const read = await get(account!);
    await contract();
    await app.get(Transactions).run((session) => codes.use(read, codeOf(SECRET), session));
    const { mfa } = await get(account!);
    expect(mfa).toMatchObject({ secret: expect.stringMatching(/^v2\./) as string });
    expect(mfa!.lastStep).toBeGreaterThan(0);
  });
});

describe('after the contract step', () => {
  beforeEach(() =>
    app
      .get(Migrator)
      .migrate({ contract: true })
      .then(() => undefined),
  );

  it('a secret is bound to its account and to its field', async () => {
    const [ada, bob] = [newAccount(), newAccount()];
    const pendingMfaSecret = await codes.encryptPending(ada as Account, SECRET);
    const confirmed = await codes.confirm({ ...ada, pendingMfaSecret } as Account, codeOf(SECRET));
    await expect(codes.confirm({ ...bob, pendingMfaSecret } as Account, codeOf(SECRET))).rejects.toMatchObject(
      UNREADABLE,
    );
    const stored = (_id: Types.ObjectId, secret: string) => ({ ...withFactor(secret), _id });
    await accounts.insertMany([stored(ada._id, pendingMfaSecret), stored(bob._id, confirmed!.secret)]);
    for (const account of [ada, bob]) await expect(useCode(account)).rejects.toMatchObject(UNREADABLE);
    await accounts.updateOne({ _id: ada._id }, { $set: { 'mfa.secret': confirmed!.secret } });
    expect((await useCode(ada)).mfa?.lastStep).toBeGreaterThan(0);
  });

  it('a token is sent in no other message, to nobody else, and to no other address', async () => {
    const user = new Types.ObjectId();
    const [userId, event] = [String(user), 'account.password-reset'] as const;
    const sealed = await secrets.encrypt('a token', { userId, event, to: 'ada@example.org' });
    expect(sealed).toMatch(/^v2\./);
    const delivery = { _id: user, user, event, to: 'ada@example.org', token: sealed };
    const rest = { data: {}, collapsedCount: 0, collapsed: [], digestOf: [] };
    const send = (changes: object) =>
      app
        .get(EmailChannel, { strict: false })
        .send({ ...rest, ...delivery, ...changes } as unknown as Delivery, null, heldClaim());
    for (const changes of [
      { user: new Types.ObjectId() },
      { event: 'account.email-verification' },
      { to: 'bob@example.org' },
    ]) {
      await expect(send(changes)).rejects.toThrow("can't be decrypted");
    }
    expect(await send({})).toBe('delivered');
    const contact = { emailVerified: true } as never;
    const sms = { ...rest, ...delivery, event: 'account.phone-verification', to: '+436601234567' };
    const sending = app.get(SmsChannel, { strict: false }).send(sms as unknown as Delivery, contact, heldClaim());
    await expect(sending).rejects.toThrow("can't be decrypted");
  });
});
