import { ObjectId } from 'mongodb';
import { ApiClient } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { allOf } from '../support/pages.js';
import { startService, type TestService } from '../support/service.js';
import { shiftedClock } from '../support/shifted-clock.js';
import { type SmtpStandIn, startSmtpStandIn } from '../support/smtp-stand-in.js';
import { createTask, type TaskBody, TASKS } from '../support/tasks.js';
import { newEmail, registerUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const HOUR_MS = 3_600_000;
/** Longer than the answer to an idempotency key is kept. */
const AHEAD_SECONDS = 25 * 3600;
const INBOX = '/api/v1/notifications';
const PATIENCE_MS = 30_000;
const LEASE_MS = 60_000;

interface Health {
  warning?: string;
  details: { clock: { status: string } };
}
interface Notification {
  data: { taskId?: string };
}
interface Work {
  _id: ObjectId;
  availableAt: Date;
  attempts: number;
}

let smtp: SmtpStandIn;
let punctual: TestService;
let ahead: TestService;
let user: TestUser;
let acceptHeld: () => void;
const held = new Promise<'accept'>((resolve) => (acceptHeld = () => resolve('accept')));
/** Addresses in the order in which messages for them have arrived, accepted or not. */
const arrived: string[] = [];
const arrivedFor = (email: string) => arrived.filter((address) => address === email).length;

/** The mail to `user` is being sent by the one instance when the other one starts. */
beforeAll(async () => {
  const email = newEmail();
  smtp = await startSmtpStandIn({
    onMessage: (address) => (arrived.push(address) && address === email ? held : 'accept'),
  });
  punctual = await startService({ SMTP_URL: smtp.url });
  user = await registerUser(punctual, { email });
  await waitFor('the first mail to be under way', () => arrivedFor(email) === 1);
  ahead = await punctual.replica(shiftedClock(AHEAD_SECONDS));
});
afterAll(() => smtp.close());

describe('an instance whose clock is 25 hours ahead', () => {
  it('says so in its log, its metrics and its health, and stays ready', async () => {
    const [ready, health] = [await get('/health/ready'), await get('/health')];
    expect([ready.status, health.status]).toEqual([200, 200]);
    expect(ready.body.warning).toMatch(/clock is \d+ s ahead of that of MongoDB/);
    expect(health.body.details.clock.status).toBe('down');
    expect((await new ApiClient(punctual).get<Health>('/health/ready')).body).toEqual({ status: 'ok' });
    expect(ahead.logLines().filter(({ msg }) => String(msg).includes('ahead of that of MongoDB'))).toHaveLength(1);
    const metrics = await (await fetch(`${ahead.metricsUrl}/metrics`)).text();
    const skew = Number(/^clock_skew_seconds (.+)$/m.exec(metrics)?.[1]);
    expect(Math.abs(skew - AHEAD_SECONDS)).toBeLessThan(2);
  });

  it('does not send a mail that another instance is sending', async () => {
    const { email } = await registerUser(ahead);
    // A process takes the work that has been due for longest, so it would have taken that mail before this one.
    await waitFor('the mail of the second user', () => arrivedFor(email) > 0);
    expect(arrivedFor(user.email)).toBe(1);
    acceptHeld();
    await waitFor('the first mail', () => smtp.accepted.some(({ to }) => to === user.email));
    expect(arrivedFor(user.email)).toBe(1);
  });

  it('accepts the access tokens of the others, as they accept its own', async () => {
    const other = await registerUser(ahead);
    expect((await user.api.at(ahead).get(TASKS)).status).toBe(200);
    expect((await other.api.at(punctual).get(TASKS)).status).toBe(200);
  });

  it.each(['the first request', 'the second request'])(
    'repeats an idempotent answer where it gets %s',
    async (which) => {
      const order = which === 'the first request' ? [ahead, punctual] : [punctual, ahead];
      const headers = { 'Idempotency-Key': new ObjectId().toHexString() };
      const ids: string[] = [];
      for (const service of order) {
        const { status, body } = await user.api.at(service).post<TaskBody>(TASKS, { title: 'Once' }, headers);
        expect(status).toBe(201);
        ids.push(body.id);
      }
      expect(ids[1]).toBe(ids[0]);
    },
  );

  describe('while it works alone', () => {
    beforeAll(() => punctual.freeze());
    afterAll(() => punctual.thaw());

    it('sends no reminder before its time', async () => {
      const api = user.api.at(ahead);
      const early = await createTask(api, { remindAt: inMs(6 * HOUR_MS) });
      // Each is taken by a later search for due alarms than the one before.
      for (let round = 0; round < 2; round++) {
        const { id } = await createTask(api, { remindAt: inMs(-1000) });
        const isTold = async () => (await allOf<Notification>(api, INBOX)).some(({ data }) => data.taskId === id);
        await waitFor('the reminder that is due', isTold, PATIENCE_MS);
      }
      const alarm = await collection('taskalarms').findOne({ _id: new ObjectId(early.id) });
      expect([alarm?.attempts, alarm?.availableAt.toISOString()]).toEqual([0, early.remindAt]);
    });

    it('plans recurring jobs for the time that the others go by', async () => {
      const jobs = collection('recurringjobs');
      const before = new Date();
      await jobs.updateMany({}, { $set: { availableAt: before } });
      const isDone = { availableAt: { $gt: new Date(before.getTime() + 20_000) }, lease: null };
      const count = await jobs.countDocuments();
      await waitFor('all jobs to be done', async () => (await jobs.countDocuments(isDone)) === count, PATIENCE_MS);
      expect(await jobs.countDocuments({ availableAt: { $gt: new Date(inMs(AHEAD_SECONDS * 1000 - HOUR_MS)) } })).toBe(
        0,
      );
    });

    it('leaves work to the others that they do at once, when it is killed', async () => {
      const { email } = await registerUser(ahead);
      await ahead.kill();
      punctual.thaw();
      // It may have had a claim, which the others wait out.
      await waitFor('the mail', () => arrivedFor(email) > 0, LEASE_MS + PATIENCE_MS);
    }, 150_000);
  });
});

async function get(path: string) {
  return await new ApiClient(ahead).get<Health>(path);
}

function collection(name: string) {
  return databaseOf(punctual).collection<Work>(name);
}

function inMs(milliseconds: number): string {
  return new Date(Date.now() + milliseconds).toISOString();
}
