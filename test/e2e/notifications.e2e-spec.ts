import { ApiClient, type PageOf, type Problem } from '../support/api-client.js';
import { mailsTo, mailTo, tokenIn } from '../support/mail.js';
import { startService, type TestService } from '../support/service.js';
import { createTask, TASKS } from '../support/tasks.js';
import { registerUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

interface NotificationBody {
  id: string;
  event: string;
  title: string;
  body: string;
  data: Record<string, string>;
  readAt: string | null;
  createdAt: string;
}

const INBOX = '/api/v1/notifications';
const PREFERENCES = '/api/v1/users/me/preferences';
const DEFAULT_PREFERENCES = {
  channels: { email: true, push: true, sms: false },
  mutedEvents: [] as string[],
  quietHours: null,
  digest: 'off',
};

let service: TestService;
let user: TestUser;
beforeAll(async () => {
  service = await startService();
  user = await registerUser(service);
});

async function inboxOf(api: ApiClient, query = ''): Promise<NotificationBody[]> {
  const { status, body } = await api.get<PageOf<NotificationBody>>(`${INBOX}?limit=100${query}`);
  expect(status).toBe(200);
  return body.data;
}

async function unreadCount(api: ApiClient): Promise<number> {
  return (await api.get<{ count: number }>(`${INBOX}/unread-count`)).body.count;
}

/** Completes tasks with these titles, and waits until the inbox holds them. */
async function complete(api: ApiClient, ...titles: string[]): Promise<NotificationBody[]> {
  const before = (await inboxOf(api)).length;
  await Promise.all(titles.map((title) => createTask(api, { title, status: 'done' })));
  return await waitFor(`${titles.length} notifications`, async () => {
    const inbox = await inboxOf(api);
    return inbox.length >= before + titles.length && inbox;
  });
}

async function verifyAddress(owner: TestUser): Promise<void> {
  const token = tokenIn(await mailTo(owner.email));
  await owner.api.post('/api/v1/auth/email/verify', { token });
}

/** Returns once every event published so far was handled and every mail sent: both queues are served in order. */
async function settled(): Promise<void> {
  await waitFor('the queues to be empty', async () => {
    const metrics = await (await fetch(`${service.metricsUrl}/metrics`)).text();
    return ['outbox', 'email'].every((queue) => metrics.includes(`work_depth{queue="${queue}",state="ready"} 0`));
  });
}

describe('a completed task', () => {
  it('appears in the inbox', async () => {
    const { api } = await registerUser(service);
    const task = await createTask(api, { title: 'Write <b>it</b>' });
    await api.patch(`${TASKS}/${task.id}`, { status: 'done' });
    const [notification] = await waitFor('the notification', async () => {
      const inbox = await inboxOf(api);
      return inbox.length > 0 && inbox;
    });
    expect(notification).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{24}$/) as string,
      event: 'task.completed',
      title: 'Task completed',
      body: '“Write <b>it</b>” is done.',
      data: { taskId: task.id, title: 'Write <b>it</b>', completedAt: expect.stringMatching(/Z$/) as string },
      readAt: null,
      createdAt: expect.stringMatching(/Z$/) as string,
    });
    expect(await unreadCount(api)).toBe(1);
  });

  it('is notified once, however often it is changed afterwards', async () => {
    const { api } = await registerUser(service);
    const task = await createTask(api);
    await api.patch(`${TASKS}/${task.id}`, { status: 'done' });
    await api.patch(`${TASKS}/${task.id}`, { status: 'done', title: 'Renamed' });
    await api.patch(`${TASKS}/${task.id}`, { priority: 'high' });
    await settled();
    expect(await inboxOf(api)).toHaveLength(1);
  });

  it('goes by mail to an address that is verified', async () => {
    const owner = await registerUser(service, { name: 'Ada <Countess>' });
    await verifyAddress(owner);
    await settled();
    await complete(owner.api, 'Analytical "Engine" & <script>');
    const mail = await mailTo(owner.email, ({ subject }) => subject === 'Task completed');
    expect(mail.text).toContain('Hello Ada <Countess>,');
    expect(mail.text).toContain('“Analytical "Engine" & <script>” is done.');
    expect(mail.html).toContain('“Analytical &quot;Engine&quot; &amp; &lt;script&gt;” is done.');
    expect(mail.html).not.toContain('<script>');
    expect(mail.messageId).toMatch(/^<[0-9a-f]{24}@/);
  });

  it('goes by mail to no address that is not verified', async () => {
    const owner = await registerUser(service);
    await mailTo(owner.email);
    await complete(owner.api, 'Secret');
    await settled();
    expect(mailsTo(owner.email).map(({ subject }) => subject)).toEqual(['Confirm your email address']);
  });

  it('goes by no mail where the user wants none, but into the inbox', async () => {
    const owner = await registerUser(service);
    await verifyAddress(owner);
    const channels = { email: false, push: true, sms: false };
    await owner.api.put(PREFERENCES, { ...DEFAULT_PREFERENCES, channels });
    await settled();
    await complete(owner.api, 'Quiet');
    await settled();
    expect(mailsTo(owner.email).map(({ subject }) => subject)).toEqual(['Confirm your email address']);
  });

  it('reaches neither inbox nor mail where the event is muted', async () => {
    const owner = await registerUser(service);
    await verifyAddress(owner);
    await owner.api.put(PREFERENCES, { ...DEFAULT_PREFERENCES, mutedEvents: ['task.completed'] });
    await settled();
    await createTask(owner.api, { status: 'done' });
    await settled();
    expect(await inboxOf(owner.api)).toEqual([]);
    expect(mailsTo(owner.email)).toHaveLength(1);
  });
});

describe('a new log-in', () => {
  it('is notified in the inbox, and by mail with any preferences', async () => {
    const owner = await registerUser(service);
    await verifyAddress(owner);
    const channels = { email: false, push: false, sms: false };
    await owner.api.put(PREFERENCES, { ...DEFAULT_PREFERENCES, channels, mutedEvents: ['account.new-login'] });
    await settled();
    const { email, password } = owner;
    await new ApiClient(service).post('/api/v1/auth/login', { email, password }, { 'User-Agent': 'Lynx/2.8' });
    const mail = await mailTo(email, ({ subject }) => subject === 'New log-in to your account');
    expect(mail.text).toMatch(/from \S+ with Lynx\/2\.8/);
    expect(await inboxOf(owner.api)).toEqual([]);
  });
});

describe('the inbox', () => {
  it('marks one as read and as unread again', async () => {
    const { api } = await registerUser(service);
    const [notification] = await complete(api, 'One');
    const path = `${INBOX}/${notification?.id}`;
    const read = await api.patch<NotificationBody>(path, { read: true });
    expect(read.body).toEqual({ ...notification, readAt: expect.stringMatching(/Z$/) as string });
    expect(await unreadCount(api)).toBe(0);
    expect((await api.patch<NotificationBody>(path, { read: true })).body.readAt).toBe(read.body.readAt);
    expect((await api.patch<NotificationBody>(path, { read: false })).body).toEqual(notification);
    expect(await unreadCount(api)).toBe(1);
  });

  it('distinguishes read ones from unread ones', async () => {
    const { api } = await registerUser(service);
    const [first, second] = await complete(api, 'One', 'Two');
    await api.patch(`${INBOX}/${first?.id}`, { read: true });
    expect((await inboxOf(api, '&unread=true')).map(({ id }) => id)).toEqual([second?.id]);
    expect((await inboxOf(api, '&unread=false')).map(({ id }) => id)).toEqual([first?.id]);
  });

  it('marks all as read', async () => {
    const { api } = await registerUser(service);
    await complete(api, 'One', 'Two', 'Three');
    expect((await api.post(`${INBOX}/read-all`)).status).toBe(204);
    expect(await unreadCount(api)).toBe(0);
    expect((await inboxOf(api)).every(({ readAt }) => readAt !== null)).toBe(true);
  });

  it('deletes', async () => {
    const { api } = await registerUser(service);
    const [first, second] = await complete(api, 'One', 'Two');
    expect((await api.delete(`${INBOX}/${first?.id}`)).status).toBe(204);
    expect((await inboxOf(api)).map(({ id }) => id)).toEqual([second?.id]);
    expect((await api.delete(`${INBOX}/${first?.id}`)).status).toBe(404);
    expect(await unreadCount(api)).toBe(1);
  });

  it('pages from the newest to the oldest, each once', async () => {
    const { api } = await registerUser(service);
    await complete(api, ...Array.from({ length: 11 }, (_, index) => `Task ${index}`));
    const all = await inboxOf(api);
    const seen: NotificationBody[] = [];
    let cursor: string | null = null;
    do {
      const suffix: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const { body } = await api.get<PageOf<NotificationBody>>(`${INBOX}?limit=4${suffix}`);
      seen.push(...body.data);
      cursor = body.page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(all);
    const keys = all.map(({ createdAt, id }) => createdAt + id);
    expect(keys).toEqual([...keys].sort().reverse());
    expect(new Set(all.map(({ body }) => body)).size).toBe(11);
  });

  it("keeps another user's notifications apart: they are 404", async () => {
    const stranger = await registerUser(service);
    const [notification] = await complete(user.api, 'Mine');
    const path = `${INBOX}/${notification?.id}`;
    const answers = await Promise.all([
      stranger.api.patch<Problem>(path, { read: true }),
      stranger.api.delete<Problem>(path),
    ]);
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual(Array(2).fill([404, 'NOT_FOUND']));
    await stranger.api.post(`${INBOX}/read-all`);
    expect(await inboxOf(stranger.api)).toEqual([]);
    expect((await inboxOf(user.api)).find(({ id }) => id === notification?.id)?.readAt).toBeNull();
  });

  it.each([
    ['unread=yes', 'unread'],
    ['unread=', 'unread'],
    ['unread=true&unread=false', 'unread'],
    ['cursor=nonsense', 'cursor'],
    ['limit=0', 'limit'],
    ['read=true', 'read'],
  ])('refuses ?%s', async (query, field) => {
    const { status, body } = await user.api.get<Problem>(`${INBOX}?${query}`);
    expect([status, body.errors?.map((error) => error.field)]).toEqual([400, [field]]);
  });

  it.each([[{}], [{ read: 'true' }], [{ read: 1 }], [{ read: null }]])('refuses the mark %j', async (mark) => {
    const { status, body } = await user.api.patch<Problem>(`${INBOX}/0123456789abcdef01234567`, mark);
    expect([status, body.errors?.map((error) => error.field)]).toEqual([400, ['read']]);
  });
});

describe('an instance without background work', () => {
  it('leaves its events and mails to those that have it', async () => {
    const canary = await startService({ WORK_ENABLED: 'false' });
    const { api, email } = await registerUser(canary);
    const task = await createTask(api, { title: 'Released', status: 'done' });
    expect((await api.get(`${TASKS}/${task.id}`)).status).toBe(200);
    // It has had the time to do it: an instance that works does it within milliseconds of the answer.
    await canary.replica({ WORK_ENABLED: 'false' }).then((other) => other.stop());
    expect([await inboxOf(api), mailsTo(email)]).toEqual([[], []]);
    const worker = await canary.replica({ WORK_ENABLED: 'true' });
    await waitFor('the notification', async () => (await inboxOf(api)).some(({ data }) => data['taskId'] === task.id));
    await mailTo(email);
    await Promise.all([worker.stop(), canary.stop()]);
  });
});
