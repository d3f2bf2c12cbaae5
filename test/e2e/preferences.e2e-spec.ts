import { DateTime } from 'luxon';
import { ObjectId } from 'mongodb';
import { ApiClient, type PageOf, type Problem } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { mailsTo, mailTo, type ReceivedMail, tokenIn } from '../support/mail.js';
import { startService, type TestService } from '../support/service.js';
import { createTask } from '../support/tasks.js';
import { logIn, registerUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

interface Delivery {
  channel: string;
  state: string;
  attempts: number;
  lastError: string | null;
  deliveredAt: string | null;
}

interface NotificationBody {
  id: string;
  event: string;
  title: string;
}

const INBOX = '/api/v1/notifications';
const PREFERENCES = '/api/v1/users/me/preferences';
const DEFAULTS = {
  channels: { email: true, push: true, sms: false },
  mutedEvents: [] as string[],
  quietHours: null as { start: string; end: string } | null,
  digest: 'off',
};

let service: TestService;
beforeAll(async () => {
  service = await startService();
});

const deliveries = () => databaseOf(service).collection('deliveries');

/** A user with a verified address and these preferences, of which notifications know. */
async function newUser(preferences: Partial<typeof DEFAULTS>, timezone = 'Europe/Vienna'): Promise<TestUser> {
  const user = await registerUser(service);
  await user.api.post('/api/v1/auth/email/verify', { token: tokenIn(await mailTo(user.email)) });
  await user.api.patch('/api/v1/users/me', { timezone });
  await user.api.put(PREFERENCES, { ...DEFAULTS, ...preferences });
  await waitFor('the contact to know', () =>
    databaseOf(service)
      .collection('contacts')
      .findOne({
        _id: new ObjectId(user.id),
        emailVerified: true,
        timezone,
        preferences: { ...DEFAULTS, ...preferences },
      }),
  );
  return user;
}

/** Completes a task with this title, and waits until the inbox tells of it. */
async function complete({ api }: TestUser, title: string): Promise<NotificationBody> {
  await createTask(api, { title, status: 'done' });
  return await waitFor(`a notification of ${title}`, async () => {
    const { body } = await api.get<PageOf<NotificationBody & { body: string }>>(INBOX);
    return body.data.find((each) => each.body.includes(title));
  });
}

async function deliveriesOf({ api }: TestUser, { id }: { id: string }): Promise<Delivery[]> {
  return (await api.get<PageOf<Delivery>>(`${INBOX}/${id}/deliveries`)).body.data;
}

/** Quiet hours, in the user's zone, that began an hour ago and end in an hour. */
function quietNow(zone: string): { start: string; end: string } {
  const now = DateTime.now().setZone(zone);
  return { start: now.minus({ hours: 1 }).toFormat('HH:mm'), end: now.plus({ hours: 1 }).toFormat('HH:mm') };
}

const isTaskMail = ({ subject }: ReceivedMail) => subject === 'Task completed';

describe('deliveries', () => {
  it('are listed with what became of them', async () => {
    const user = await newUser({});
    const notification = await complete(user, 'Listed');
    await mailTo(user.email, isTaskMail);
    const [delivery] = await waitFor('the record', async () => {
      const list = await deliveriesOf(user, notification);
      return list[0]?.state === 'delivered' && list;
    });
    expect(delivery).toEqual({
      channel: 'email',
      state: 'delivered',
      attempts: 1,
      lastError: null,
      deliveredAt: expect.stringMatching(/Z$/) as string,
    });
  });

  it('are empty for what went by no channel, and 404 for what is not there or another’s', async () => {
    const user = await newUser({ channels: { email: false, push: false, sms: false } });
    const notification = await complete(user, 'Inbox alone');
    expect(await deliveriesOf(user, notification)).toEqual([]);
    const stranger = await registerUser(service);
    for (const path of [notification.id, new ObjectId().toHexString(), 'nonsense']) {
      const { status } = await stranger.api.get<Problem>(`${INBOX}/${path}/deliveries`);
      expect(status).toBe(404);
    }
  });
});

describe('quiet hours', () => {
  it('hold mails back until they end, and the inbox not at all', async () => {
    const zone = 'Asia/Kathmandu';
    const quietHours = quietNow(zone);
    const user = await newUser({ quietHours }, zone);
    const notification = await complete(user, 'Late');
    const waiting = await waitFor('it to wait', () =>
      deliveries().findOne({
        notification: new ObjectId(notification.id),
        availableAt: { $gt: new Date(Date.now() + 90_000) },
      }),
    );
    const ends = DateTime.fromFormat(quietHours.end, 'HH:mm', { zone }).toFormat('HH:mm');
    expect(DateTime.fromJSDate(waiting['availableAt'] as Date, { zone }).toFormat('HH:mm')).toBe(ends);
    expect(await deliveriesOf(user, notification)).toMatchObject([{ state: 'pending', attempts: 0, lastError: null }]);
    expect(mailsTo(user.email).filter(isTaskMail)).toEqual([]);

    // At the time it waits for it is looked at again.
    await deliveries().updateOne({ _id: waiting._id }, { $set: { availableAt: new Date() } });
    await waitFor('it to wait on', () =>
      deliveries().findOne({ _id: waiting._id, availableAt: waiting['availableAt'] as Date, lease: null }),
    );
    expect(mailsTo(user.email).filter(isTaskMail)).toEqual([]);
  });

  it('end at once where the user ends them', async () => {
    const zone = 'Asia/Kathmandu';
    const user = await newUser({ quietHours: quietNow(zone) }, zone);
    const notification = new ObjectId((await complete(user, 'Late')).id);
    await waitFor('it to wait', () =>
      deliveries().findOne({ notification, availableAt: { $gt: new Date(Date.now() + 90_000) }, lease: null }),
    );
    await user.api.put(PREFERENCES, { ...DEFAULTS, quietHours: null });
    await mailTo(user.email, isTaskMail);
  });

  it('hold back nothing about the account', async () => {
    const user = await newUser({ quietHours: quietNow('Europe/Vienna') });
    await logIn(service, user);
    await mailTo(user.email, ({ subject }) => subject === 'New log-in to your account');
  });
});

describe('the daily digest', () => {
  it('collects notifications in one mail, at eight by the user’s clock, whichever instance they happen on', async () => {
    const zone = 'America/New_York';
    const user = await newUser({ digest: 'daily' }, zone);
    const replica = await service.replica();
    const other = { ...user, api: user.api.at(replica) };
    await Promise.all([
      complete(user, 'First <b>'),
      complete(other, 'Second'),
      complete(user, 'Third'),
      complete(other, 'Fourth'),
    ]);
    const rows = await deliveries()
      .find({ user: new ObjectId(user.id), event: { $nin: ['account.email-verification'] } })
      .toArray();
    expect(rows.map(({ event, state }) => [event as string, state as string])).toEqual([['digest.daily', 'ready']]);
    const due = DateTime.fromJSDate(rows[0]?.['availableAt'] as Date, { zone });
    expect(due.toFormat('HH:mm')).toBe('08:00');
    expect(due.diffNow('hours').hours).toBeLessThanOrEqual(25);
    expect(mailsTo(user.email).filter(isTaskMail)).toEqual([]);

    await deliveries().updateOne({ _id: rows[0]?._id }, { $set: { availableAt: new Date() } });
    const mail = await mailTo(user.email, ({ subject }) => subject === 'Your daily digest');
    expect(mail.text).toContain('4 notifications since the last digest:');
    for (const title of ['First <b>', 'Second', 'Third', 'Fourth']) expect(mail.text).toContain(`“${title}” is done.`);
    expect(mail.html).toContain('“First &lt;b&gt;” is done.');
    await waitFor('its record', () => deliveries().findOne({ _id: rows[0]?._id, state: 'done' }));
    expect(mailsTo(user.email).filter(({ subject }) => subject === 'Your daily digest')).toHaveLength(1);
    await replica.stop();
  });

  it('is no mail where there is nothing left to say, or it is muted meanwhile', async () => {
    const [emptied, muted] = await Promise.all([newUser({ digest: 'daily' }), newUser({ digest: 'daily' })]);
    const notification = await complete(emptied, 'Gone');
    await complete(muted, 'Unwanted');
    await emptied.api.delete(`${INBOX}/${notification.id}`);
    await muted.api.put(PREFERENCES, { ...DEFAULTS, digest: 'daily', mutedEvents: ['digest.daily'] });
    await waitFor('the contact to know', () =>
      databaseOf(service)
        .collection('contacts')
        .findOne({ _id: new ObjectId(muted.id), 'preferences.mutedEvents': 'digest.daily' }),
    );
    const filter = { event: 'digest.daily', user: { $in: [new ObjectId(emptied.id), new ObjectId(muted.id)] } };
    await deliveries().updateMany(filter, { $set: { availableAt: new Date() } });
    await waitFor(
      'both to be done',
      async () => (await deliveries().countDocuments({ ...filter, state: 'done', deliveredAt: null })) === 2,
    );
    expect([emptied, muted].flatMap(({ email }) => mailsTo(email)).map(({ subject }) => subject)).toEqual(
      Array(2).fill('Confirm your email address'),
    );
  });

  it('holds back nothing about the account', async () => {
    const user = await newUser({ digest: 'daily' });
    await logIn(service, user);
    await mailTo(user.email, ({ subject }) => subject === 'New log-in to your account');
  });
});

describe('ending mails from a mail', () => {
  const linkIn = ({ headers }: ReceivedMail) =>
    /^<http:\/\/127\.0\.0\.1:5000(.+)>$/.exec(headers.get('list-unsubscribe') ?? '')?.[1] ?? '';
  const wantsMail = async ({ api }: TestUser) => (await api.get<typeof DEFAULTS>(PREFERENCES)).body.channels.email;

  it.each([
    ['application/x-www-form-urlencoded', 'List-Unsubscribe=One-Click'],
    [
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n',
    ],
  ])('takes one click of a mail program (RFC 8058), sent as %s', async (type, form) => {
    const user = await newUser({});
    await complete(user, 'Unwanted');
    const mail = await mailTo(user.email, isTaskMail);
    expect(mail.headers.get('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click');
    const { status } = await new ApiClient(service).post(linkIn(mail), form, { 'Content-Type': type });
    expect([status, await wantsMail(user)]).toEqual([200, false]);
    await waitFor('the contact to know', () =>
      databaseOf(service)
        .collection('contacts')
        .findOne({ _id: new ObjectId(user.id), 'preferences.channels.email': false }),
    );
    expect(await deliveriesOf(user, await complete(user, 'More'))).toEqual([]);
  });

  it('takes a press on the page that people get, and opening it is not one', async () => {
    const user = await newUser({});
    await complete(user, 'Unwanted');
    const path = `${linkIn(await mailTo(user.email, isTaskMail))}&utm_source=mail`;
    const page = await new ApiClient(service).get<string>(path, { 'Accept-Language': 'de' });
    expect([page.status, await wantsMail(user)]).toEqual([200, true]);
    expect(page.body).toContain('<form method="post"><button type="submit">Keine solchen E-Mails mehr</button></form>');
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'.*form-action 'self'/);
    const done = await new ApiClient(service).post<string>(path, '', {
      'Content-Type': 'application/x-www-form-urlencoded',
    });
    expect([done.status, await wantsMail(user)]).toEqual([200, false]);
    expect(done.body).toContain('no more notifications by mail');
  });

  it('is for nobody without the link: it can’t be made up, nor be that of another', async () => {
    const [user, other] = await Promise.all([newUser({}), newUser({})]);
    await complete(user, 'Wanted');
    const [, signature = ''] = linkIn(await mailTo(user.email, isTaskMail)).split('.');
    for (const token of [`${other.id}.${signature}`, `${other.id}.`, other.id, '', 'a.b.c']) {
      const { status } = await new ApiClient(service).post(`/unsubscribe?token=${token}`);
      expect(status).toBe(400);
    }
    expect((await new ApiClient(service).post('/unsubscribe')).status).toBe(400);
    expect((await new ApiClient(service).get('/unsubscribe?token=a&token=b')).status).toBe(400);
    expect(await Promise.all([wantsMail(user), wantsMail(other)])).toEqual([true, true]);
  });

  it('is not offered by mails about the account, and forms are for nothing else', async () => {
    const user = await newUser({});
    await logIn(service, user);
    const mails = [
      await mailTo(user.email),
      await mailTo(user.email, ({ subject }) => subject === 'New log-in to your account'),
    ];
    for (const { headers, text } of mails)
      expect([headers.get('list-unsubscribe'), /unsubscribe/.test(text)]).toEqual([undefined, false]);
    const { status } = await new ApiClient(service).post('/api/v1/auth/login', 'email=a', {
      'Content-Type': 'application/x-www-form-urlencoded',
    });
    expect(status).toBe(415);
  });
});
