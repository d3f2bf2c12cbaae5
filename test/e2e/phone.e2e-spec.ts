import { createHmac, randomBytes } from 'node:crypto';
import { ObjectId } from 'mongodb';
import type { Problem } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { type Received, type StandIn, startStandIn } from '../support/http-stand-in.js';
import { startService, type TestService } from '../support/service.js';
import { createTask } from '../support/tasks.js';
import { registerVerifiedUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const ME = '/api/v1/users/me';
const SEND = `${ME}/phone/send-code`;
const VERIFY = `${ME}/phone/verify`;
const SECRET = randomBytes(32).toString('base64');

interface Sms {
  to: string;
  text: string;
}

let provider: StandIn;
let service: TestService;
/** What the provider answers, by number; 200 by default. */
const answers = new Map<string, (count: number) => number>();
const messageOf = ({ body }: Pick<Received, 'body'>) => (JSON.parse(body) as { data: Sms }).data;
const requestsTo = (number: string) => provider.received.filter((request) => messageOf(request).to === number);

beforeAll(async () => {
  provider = await startStandIn((request) => {
    const { to } = messageOf(request);
    return { status: answers.get(to)?.(requestsTo(to).length) ?? 200 };
  });
  service = await startService({ SMS_DRIVER: 'webhook', SMS_WEBHOOK_URL: provider.url, SMS_WEBHOOK_SECRET: SECRET });
});
afterAll(() => provider.close());

let numbers = 0;
const newNumber = () => `+4366012${String(++numbers).padStart(5, '0')}`;

async function userWithNumber(number = newNumber()): Promise<TestUser & { number: string }> {
  const user = await registerVerifiedUser(service);
  expect((await user.api.patch(ME, { phone: number })).status).toBe(200);
  return { ...user, number };
}

/** The code of the so-manieth SMS to a number, from 1. */
async function codeTo(number: string, nth = 1): Promise<string> {
  const request = await waitFor(`SMS ${nth} to ${number}`, () => requestsTo(number)[nth - 1]);
  return /\b\d{6}\b/.exec(messageOf(request).text)?.[0] ?? '';
}

async function verified({ id, number }: { id: string; number: string }): Promise<boolean> {
  const user = await databaseOf(service)
    .collection('users')
    .findOne({ _id: new ObjectId(id), phone: number });
  return user?.['phoneVerified'] === true;
}

const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

describe('a phone number', () => {
  it('is confirmed by the code of an SMS, which works once', async () => {
    const user = await userWithNumber();
    expect((await user.api.post(SEND)).status).toBe(202);
    const code = await codeTo(user.number);
    expect((await user.api.post(VERIFY, { code })).status).toBe(204);
    expect(await verified(user)).toBe(true);
    const again = await user.api.post<Problem>(VERIFY, { code });
    expect([again.status, again.body.code]).toEqual([401, 'INVALID_CREDENTIALS']);
    expect((await user.api.post(SEND)).status).toBe(202);
    expect(requestsTo(user.number)).toHaveLength(1);
  });

  it('is in the audit trail when it is set, confirmed and removed, without the number', async () => {
    const user = await userWithNumber();
    await user.api.patch(ME, { phone: user.number });
    await user.api.post(SEND);
    await user.api.post(VERIFY, { code: await codeTo(user.number) }, { 'User-Agent': 'a phone' });
    await user.api.patch(ME, { phone: null });
    const entries = await waitFor('three entries', async () => {
      const found = await databaseOf(service)
        .collection('auditentries')
        .find({ actor: new ObjectId(user.id), event: /^phone\./ })
        .toArray();
      return found.length >= 3 && found;
    });
    expect(entries.map(({ event }) => String(event)).sort()).toEqual([
      'phone.changed',
      'phone.changed',
      'phone.verified',
    ]);
    const where = expect.objectContaining({ ip: '127.0.0.1', details: { userId: user.id } }) as unknown;
    expect(entries).toEqual([where, where, where]);
    expect(entries.find(({ event }) => event === 'phone.verified')).toMatchObject({ userAgent: 'a phone' });
    expect(JSON.stringify(entries)).not.toContain(user.number);
  });

  it('needs a new code once it is changed, and a pending one is for the old number', async () => {
    const user = await userWithNumber();
    await user.api.post(SEND);
    await user.api.post(VERIFY, { code: await codeTo(user.number) });
    const next = newNumber();
    await user.api.patch(ME, { name: 'The same number' });
    expect(await verified(user)).toBe(true);
    await user.api.patch(ME, { phone: next });
    expect(await verified({ ...user, number: next })).toBe(false);
    await user.api.post(SEND);
    const code = await codeTo(next);
    const last = newNumber();
    await user.api.patch(ME, { phone: last });
    expect((await user.api.post(VERIFY, { code })).status).toBe(401);
    expect(await verified({ ...user, number: last })).toBe(false);
  });

  it('has five tries for a code, also at once, and a new code ends the one before', async () => {
    const user = await userWithNumber();
    await user.api.post(SEND);
    const first = await codeTo(user.number);
    const guesses = await Promise.all(
      Array.from({ length: 12 }, () => user.api.post<Problem>(VERIFY, { code: wrong(first) })),
    );
    expect(guesses.map(({ status, body }) => [status, body.code])).toEqual(
      Array(12).fill([401, 'INVALID_CREDENTIALS']),
    );
    expect((await user.api.post(VERIFY, { code: first })).status).toBe(401);
    await user.api.post(SEND);
    const second = await codeTo(user.number, 2);
    if (second !== first) expect((await user.api.post(VERIFY, { code: first })).status).toBe(401);
    expect((await user.api.post(VERIFY, { code: second })).status).toBe(204);
  });

  it('is confirmed by no code that is out of date', async () => {
    const user = await userWithNumber();
    await user.api.post(SEND);
    const code = await codeTo(user.number);
    const past = { $set: { expiresAt: new Date(Date.now() - 1) } };
    await databaseOf(service)
      .collection<{ _id: ObjectId }>('phonecodes')
      .updateOne({ _id: new ObjectId(user.id) }, past);
    expect((await user.api.post(VERIFY, { code })).status).toBe(401);
  });

  it('is confirmed by nobody else’s code', async () => {
    const [owner, thief] = await Promise.all([userWithNumber(), userWithNumber()]);
    await owner.api.post(SEND);
    expect((await thief.api.post(VERIFY, { code: await codeTo(owner.number) })).status).toBe(401);
  });

  it('gets five codes a day from all users together, and a user five for all numbers, also at once', async () => {
    const number = newNumber();
    const [first, second] = await Promise.all([userWithNumber(number), userWithNumber(number)]);
    const asked = await Promise.all(
      Array.from({ length: 9 }, (_, index) => (index % 2 ? first : second).api.post<Problem>(SEND)),
    );
    expect(asked.map((answer) => answer.status).sort()).toEqual([202, 202, 202, 202, 202, 429, 429, 429, 429]);
    const refused = asked.find((answer) => answer.status === 429);
    expect(refused?.body.code).toBe('RATE_LIMITED');
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(86_000);
    await codeTo(number, 5);

    const wanderer = await registerVerifiedUser(service);
    const statuses: number[] = [];
    for (let time = 0; time < 6; time++) {
      await wanderer.api.patch(ME, { phone: newNumber() });
      statuses.push((await wanderer.api.post(SEND)).status);
    }
    expect(statuses).toEqual([202, 202, 202, 202, 202, 429]);
    expect(requestsTo(number)).toHaveLength(5);
  });

  it('is asked for where there is none', async () => {
    const { api } = await registerVerifiedUser(service);
    const { status, body } = await api.post<Problem>(SEND);
    expect([status, body.code, body.errors?.[0]?.field]).toEqual([400, 'VALIDATION_FAILED', 'phone']);
    for (const code of [undefined, '', 123456, 'x'.repeat(21)]) {
      expect((await api.post(VERIFY, { code })).status).toBe(400);
    }
  });

  it('stands with its code in clear in no collection and no log', async () => {
    const user = await userWithNumber();
    answers.set(user.number, () => 503); // keeps the message under way
    await user.api.post(SEND);
    const code = await codeTo(user.number);
    const database = databaseOf(service);
    for (const { name } of await database.listCollections().toArray()) {
      const text = JSON.stringify(await database.collection(name).find({}).toArray());
      expect([name, new RegExp(`[^0-9a-f]${code}[^0-9a-f]`).test(text)]).toEqual([name, false]);
    }
    expect(service.logs()).not.toContain(code);
    expect(service.logs()).not.toContain(user.number);
  });

  it('is forgotten with its user', async () => {
    const user = await userWithNumber();
    await user.api.post(SEND);
    await codeTo(user.number);
    expect((await user.api.send('DELETE', ME, { password: user.password })).status).toBe(204);
    await waitFor('all to be erased', async () => {
      const database = databaseOf(service);
      const _id = new ObjectId(user.id);
      const left = await Promise.all([
        database.collection('phonecodes').countDocuments({ _id }),
        database.collection('contacts').countDocuments({ _id }),
        database.collection('deliveries').countDocuments({ user: _id }),
      ]);
      return left.every((count) => count === 0);
    });
  });
});

describe('SMS', () => {
  it('go to a number once it is confirmed, to those who want them, signed as webhooks are', async () => {
    const user = await userWithNumber();
    await user.api.put(`${ME}/preferences`, {
      channels: { email: false, push: false, sms: true },
      mutedEvents: [],
      quietHours: null,
      digest: 'off',
    });
    const contact = (filter: object) =>
      waitFor('the contact to know', () =>
        databaseOf(service)
          .collection('contacts')
          .findOne({ _id: new ObjectId(user.id), ...filter }),
      );
    await contact({ 'preferences.channels.sms': true });
    await createTask(user.api, { title: 'Too early', status: 'done' });
    await user.api.post(SEND);
    await user.api.post(VERIFY, { code: await codeTo(user.number) });
    await contact({ verifiedPhone: user.number });
    await createTask(user.api, { title: 'Write "it"', status: 'done' });
    const request = await waitFor('the SMS', () => requestsTo(user.number)[1]);
    expect(messageOf(request)).toEqual({ to: user.number, text: '“Write "it"” is done.' });
    const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = request.headers;
    const expected = createHmac('sha256', Buffer.from(SECRET, 'base64')).update(
      `${String(id)}.${String(timestamp)}.${request.body}`,
    );
    expect(signature).toBe(`v1,${expected.digest('base64')}`);
    expect(requestsTo(user.number)).toHaveLength(2);
  });

  it('are tried again while the provider fails, with the same id, and not where it refuses', async () => {
    const [patient, refused] = await Promise.all([userWithNumber(), userWithNumber()]);
    answers.set(patient.number, (count) => (count < 3 ? 500 : 200));
    answers.set(refused.number, () => 422);
    await Promise.all([patient.api.post(SEND), refused.api.post(SEND)]);
    const ids = await waitFor('three attempts', () => {
      const requests = requestsTo(patient.number);
      return requests.length === 3 && requests.map(({ headers }) => headers['webhook-id']);
    });
    expect(new Set(ids).size).toBe(1);
    const deliveries = databaseOf(service).collection('deliveries');
    await waitFor('one to be sent', () => deliveries.findOne({ to: patient.number, state: 'done', token: null }));
    expect(
      await waitFor('one to fail', () => deliveries.findOne({ to: refused.number, state: 'failed' })),
    ).toMatchObject({
      attempts: 1,
      lastError: 'refused',
    });
  });
});
