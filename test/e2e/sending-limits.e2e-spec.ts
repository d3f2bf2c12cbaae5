import { isDeepStrictEqual } from 'node:util';
import { ObjectId } from 'mongodb';
import { ApiClient, type PageOf, type Problem } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { mailsTo, mailTo } from '../support/mail.js';
import { startService, type TestService } from '../support/service.js';
import { registerReachableUser, type SmsReceiver, startSmsReceiver } from '../support/sms.js';
import { createTask, TASKS } from '../support/tasks.js';
import {
  logIn,
  newRegistration,
  registerUser,
  registerVerifiedUser,
  type TestUser,
  type Tokens,
  verifyAddress,
} from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const NOTIFICATIONS = '/api/v1/notifications';
const PREFERENCES = '/api/v1/users/me/preferences';
const ALL = { email: true, push: false, sms: true };

interface Entry {
  id: string;
  title: string;
}
interface DeliveryBody {
  channel: string;
  state: string;
  lastError: string | null;
}

let sms: SmsReceiver;
let service: TestService;
beforeAll(async () => {
  sms = await startSmsReceiver();
  service = await startService(sms.environment);
}, 180_000);
afterAll(() => sms.close());

let numbers = 0;
const newNumber = () => `+4366013${String(++numbers).padStart(5, '0')}`;

const completed = (title: string) => ({ op: 'create', task: { title, status: 'done' } });
const subjectsTo = (user: TestUser) =>
  mailsTo(user.email)
    .map(({ subject }) => subject)
    .filter((subject) => subject.startsWith('Task'));
const countInbox = (user: TestUser) =>
  databaseOf(service)
    .collection('notifications')
    .countDocuments({ user: new ObjectId(user.id) });
const inboxHolds = (user: TestUser, count: number) =>
  waitFor(`${count} entries`, async () => (await countInbox(user)) === count, 120_000);

async function deliveriesOf({ api }: TestUser, { id }: Entry): Promise<DeliveryBody[]> {
  return (await api.get<PageOf<DeliveryBody>>(`${NOTIFICATIONS}/${id}/deliveries`)).body.data;
}
const stateOf = ({ channel, state }: DeliveryBody) => `${channel} ${state}`;

/** Has a user's events collected for longer than a slow machine takes to handle them. */
async function holdBurst({ id }: TestUser): Promise<void> {
  const until = new Date(Date.now() + 3_600_000);
  await databaseOf(service)
    .collection('contacts')
    .updateOne({ _id: new ObjectId(id) }, { $set: { 'burstsUntil.task_completed': until } });
}

/** Ends the minute in which a user's events are collected, instead of waiting for it. */
async function endBurst(user: TestUser): Promise<void> {
  const database = databaseOf(service);
  const past = new Date(Date.now() - 1);
  const owner = new ObjectId(user.id);
  await database.collection('contacts').updateOne({ _id: owner }, { $set: { burstsUntil: {} } });
  await database
    .collection('deliveries')
    .updateMany({ user: owner, state: 'ready', burstUntil: { $gt: past } }, { $set: { availableAt: past } });
}

describe('eight hundred tasks that are completed within a minute', () => {
  it('are one SMS and one mail after the first, delay nobody, and are all in the inbox', async () => {
    const number = newNumber();
    const user = await registerReachableUser(service, sms, { number, channels: ALL });
    await createTask(user.api, { title: 'First', status: 'done' });
    await waitFor('the first mail', () => subjectsTo(user).length === 1);
    await waitFor('the first SMS', () => sms.textsTo(number).length === 2);
    await holdBurst(user);
    const operations = Array.from({ length: 100 }, (_, index) => completed(`Task ${index}`));
    const answers = await Promise.all(Array.from({ length: 8 }, () => user.api.post(`${TASKS}/bulk`, { operations })));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));

    const registration = newRegistration();
    const { status, body } = await new ApiClient(service).post<Tokens>('/api/v1/auth/register', registration);
    expect(status).toBe(201);
    const registered = Date.now();
    expect((await new ApiClient(service, body.accessToken).get('/api/v1/users/me')).status).toBe(200);
    const profileMs = Date.now() - registered;
    await mailTo(registration.email);
    const mailMs = Date.now() - registered;
    const handled = await countInbox(user);
    // Otherwise the burst was over, and this says nothing.
    expect(handled).toBeLessThan(800);
    expect(profileMs).toBeLessThan(1000);
    expect(mailMs).toBeLessThan(2000);

    await inboxHolds(user, 801);
    expect(sms.textsTo(number)).toHaveLength(2);
    expect(subjectsTo(user)).toEqual(['Task completed']);
    await endBurst(user);
    const text = await waitFor('the second SMS', () => sms.textsTo(number)[2]);
    expect(text).toBe('800 more notifications within a minute. All of them are in your inbox.');
    const mail = await mailTo(user.email, ({ subject }) => subject === 'Task completed (800)');
    expect(mail.text.match(/^- Task completed: “Task \d+” is done\.$/gm)).toHaveLength(20);
    expect(sms.textsTo(number)).toHaveLength(3);
    expect(subjectsTo(user)).toHaveLength(2);
  }, 240_000);
});

describe('one task that is completed fifty times in a request', () => {
  it('is one SMS at once, and one for the others that the API lists for each of them', async () => {
    const number = newNumber();
    const user = await registerReachableUser(service, sms, { number, channels: { ...ALL, email: false } });
    const { id } = await createTask(user.api);
    const toggles = Array.from({ length: 100 }, (_, index) => {
      return { op: 'update', id, changes: { status: index % 2 ? 'todo' : 'done' } };
    });
    expect((await user.api.post(`${TASKS}/bulk`, { operations: toggles })).status).toBe(200);
    await inboxHolds(user, 50);
    await waitFor('the first SMS', () => sms.textsTo(number).length === 2);
    await endBurst(user);
    await waitFor('the second SMS', () => sms.textsTo(number).length === 3);
    const { body } = await user.api.get<PageOf<Entry>>(`${NOTIFICATIONS}?limit=100`);
    expect(body.data).toHaveLength(50);
    await waitFor('all to be delivered', async () => {
      const states = await Promise.all(body.data.map(async (entry) => (await deliveriesOf(user, entry)).map(stateOf)));
      return isDeepStrictEqual(states, Array(50).fill(['sms delivered']));
    });
    expect(sms.textsTo(number)).toHaveLength(3);
  }, 120_000);

  it('has its own text where only one other follows', async () => {
    const number = newNumber();
    const user = await registerReachableUser(service, sms, { number, channels: { ...ALL, email: false } });
    await createTask(user.api, { title: 'First', status: 'done' });
    await waitFor('the first SMS', () => sms.textsTo(number).length === 2);
    await createTask(user.api, { title: 'Second', status: 'done' });
    await inboxHolds(user, 2);
    await endBurst(user);
    expect(await waitFor('the second SMS', () => sms.textsTo(number)[2])).toBe('“Second” is done.');
  });
});

describe('quotas', () => {
  let strict: TestService;
  beforeAll(async () => {
    strict = await startService({
      ...sms.environment,
      SMS_COUNTRIES: 'AT',
      QUOTA_SMS_PER_DAY: '2',
      QUOTA_MAILS_PER_DAY: '3',
      QUOTA_ALL_SMS_PER_DAY: '6',
      QUOTA_SMS_CODES_PERCENT: '50',
    });
  }, 180_000);

  /** Completes a task as if it were minutes after the one before, and waits until its messages are on their way. */
  async function completeApart(user: TestUser, title: string): Promise<DeliveryBody[]> {
    const database = databaseOf(strict);
    await database.collection('contacts').updateOne({ _id: new ObjectId(user.id) }, { $unset: { burstsUntil: 1 } });
    const { id: taskId } = await createTask(user.api, { title, status: 'done' });
    return await waitFor(`what became of ${title}`, async () => {
      const entry = await database.collection('notifications').findOne({ 'data.taskId': taskId });
      const deliveries = entry && (await deliveriesOf(user, { id: String(entry._id), title }));
      return deliveries?.every(({ state }) => state !== 'pending') && deliveries;
    });
  }

  async function countMetric(name: string, labels: string): Promise<number> {
    const metrics = await (await fetch(`${strict.metricsUrl}/metrics`)).text();
    return Number(new RegExp(`^${name}\\{${labels}\\} (\\d+)$`, 'm').exec(metrics)?.[1]);
  }

  it('let a user have three mails a day about tasks', async () => {
    const user = await registerVerifiedUser(strict);
    const outcomes: DeliveryBody[] = [];
    for (let number = 0; number < 5; number++) outcomes.push(...(await completeApart(user, `Task ${number}`)));
    expect(outcomes.map(({ state }) => state)).toEqual(['delivered', 'delivered', 'delivered', 'skipped', 'skipped']);
    expect(outcomes[4]?.lastError).toBe('The limit of messages for the day was reached.');
    expect(await countMetric('notifications_dropped_total', 'channel="email",reason="user-quota"')).toBe(2);
    expect(mailsTo(user.email).filter(({ subject }) => subject === 'Task completed')).toHaveLength(3);
  });

  it('let a user have three mails a day about log-ins, which take none of the other mails about the account', async () => {
    const user = await registerVerifiedUser(strict);
    const database = databaseOf(strict);
    const owner = new ObjectId(user.id);
    const ofLogIns = { user: owner, event: 'account.new-login' };
    const countLogIns = (filter: object) =>
      database.collection('deliveries').countDocuments({ ...ofLogIns, ...filter });
    for (let number = 1; number <= 5; number++) {
      // As if it were minutes after the one before.
      await database.collection('contacts').updateOne({ _id: owner }, { $unset: { burstsUntil: 1 } });
      await logIn(strict, user);
      await waitFor('the message', async () => (await countLogIns({})) === number);
    }
    expect(await countLogIns({ lastError: 'over-quota' })).toBe(2);
    const isLogIn = ({ subject }: { subject: string }) => subject === 'New log-in to your account';
    await waitFor('three mails', () => mailsTo(user.email).filter(isLogIn).length === 3);

    const change = { currentPassword: user.password, newPassword: 'another-horse-battery' };
    expect(await user.api.post('/api/v1/auth/password/change', change)).toMatchObject({ status: 204 });
    await mailTo(user.email, ({ subject }) => subject === 'Your password was changed');
  });

  it('count what waits for the end of quiet hours while the address is verified', async () => {
    const user = await registerUser(strict);
    const database = databaseOf(strict);
    const owner = new ObjectId(user.id);
    const contactHas = (part: object) =>
      waitFor('the contact', () => database.collection('contacts').findOne({ _id: owner, ...part }));
    const { body: preferences } = await user.api.get<object>(PREFERENCES);
    const hourFromNow = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16);
    const quietHours = { start: hourFromNow(-1), end: hourFromNow(1) };
    await user.api.put(PREFERENCES, { ...preferences, quietHours });
    await contactHas({ 'preferences.quietHours': quietHours });

    const ofTasks = { user: owner, event: 'task.completed' };
    const countMails = (filter: object) => database.collection('deliveries').countDocuments({ ...ofTasks, ...filter });
    for (let number = 1; number <= 5; number++) {
      await database.collection('contacts').updateOne({ _id: owner }, { $unset: { burstsUntil: 1 } });
      await createTask(user.api, { status: 'done' });
      await waitFor('the message', async () => (await countMails({})) === number);
    }
    await verifyAddress(user);
    await contactHas({ emailVerified: true });
    await user.api.put(PREFERENCES, { ...preferences, quietHours: null });
    await waitFor('all to be done', async () => (await countMails({ state: 'done' })) === 5);
    expect(await countMails({ lastError: 'over-quota' })).toBe(2);
    expect(mailsTo(user.email).filter(({ subject }) => subject === 'Task completed')).toHaveLength(3);
  });

  it('let all users together have six SMS a day, of which three are for codes', async () => {
    const channels = { email: false, push: false, sms: true };
    const numberOf = Array.from({ length: 5 }, newNumber);
    const [first = '', second = '', third = '', fourth = '', fifth = ''] = numberOf;
    const user = await registerReachableUser(strict, sms, { number: first, channels });
    const outcomes = [];
    for (let number = 0; number < 3; number++) outcomes.push(...(await completeApart(user, `Task ${number}`)));
    // One code and two tasks of the three that aren't reserved; then the user's own quota.
    expect(outcomes.map(stateOf)).toEqual(['sms delivered', 'sms delivered', 'sms skipped']);
    const other = await registerReachableUser(strict, sms, { number: second, channels });
    expect((await completeApart(other, 'Over the budget')).map(stateOf)).toEqual(['sms skipped']);
    await registerReachableUser(strict, sms, { number: third, channels });
    await registerReachableUser(strict, sms, { number: fourth, channels });
    expect(await countMetric('notifications_dropped_total', 'channel="sms",reason="user-quota"')).toBe(1);
    expect(await countMetric('notifications_dropped_total', 'channel="sms",reason="sms-budget"')).toBe(1);

    const late = await registerVerifiedUser(strict);
    await late.api.patch('/api/v1/users/me', { phone: fifth });
    expect((await late.api.post('/api/v1/users/me/phone/send-code')).status).toBe(202);
    await waitFor(
      'the code to be dropped',
      async () => (await countMetric('notifications_dropped_total', 'channel="sms",reason="sms-budget"')) === 2,
    );
    expect(sms.textsTo(fifth)).toEqual([]);
  });

  it('let no SMS go to other countries, nor to a user whose address is not verified', async () => {
    const { api } = await registerVerifiedUser(strict);
    await api.patch('/api/v1/users/me', { phone: '+4915112345678' });
    const { status, body } = await api.post<Problem>('/api/v1/users/me/phone/send-code');
    expect([status, body.errors?.map(({ field }) => field)]).toEqual([400, ['phone']]);

    const number = newNumber();
    const unverified = await registerUser(service);
    await unverified.api.patch('/api/v1/users/me', { phone: number });
    await unverified.api.post('/api/v1/users/me/phone/send-code');
    const verified = newNumber();
    await registerReachableUser(service, sms, { number: verified, channels: ALL });
    expect([sms.textsTo(number).length, sms.textsTo(verified).length]).toEqual([0, 1]);
  });
});
