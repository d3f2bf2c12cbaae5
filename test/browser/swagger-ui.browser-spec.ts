import type { Browser } from 'playwright-core';
import type { PageOf } from '../support/api-client.js';
import { mailTo, tokenIn } from '../support/mail.js';
import { startService, type TestService } from '../support/service.js';
import type { Tokens } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';
import { launchChromium } from './chromium.js';
import { SwaggerUi } from './swagger-ui.js';

interface ShownTask {
  id: string;
  title: string;
  status: string;
  completedAt: string | null;
}

describe('Swagger UI', () => {
  let service: TestService;
  let browser: Browser;
  let ui: SwaggerUi;

  beforeAll(async () => {
    service = await startService();
    browser = await launchChromium();
  });

  beforeEach(async () => {
    ui = new SwaggerUi(await browser.newPage());
    await ui.open(service.url);
  });

  afterEach(() => {
    expect(ui?.complaints ?? []).toEqual([]);
  });

  afterAll(async () => {
    await browser?.close();
  });

  it('shows every group of operations, in the order a newcomer needs them', async () => {
    expect(await ui.title()).toBe('scalable-api');
    expect(await ui.groups()).toEqual(['Auth', 'Users', 'Tasks', 'Notifications', 'Health']);
  });

  it('opens no operation for execution, and shows problems by their names alone', async () => {
    expect(await ui.executable()).toBe(0);
    const users = await ui.operationsOf('Users');
    expect(users.indexOf('deleteMe')).toBeGreaterThan(users.indexOf('updateMe'));
    const { whole, collapsed } = await ui.openOperation('Users-deleteMe');
    expect(whole).toEqual(['204']);
    expect(collapsed).toEqual(expect.arrayContaining(['400', '401', '403', '409', '503']));
    expect(await ui.executable()).toBe(0);
  });

  it('fits a phone, has a filter, and leads to the document', async () => {
    const context = await browser.newContext({ viewport: { width: 360, height: 740 }, isMobile: true });
    const phone = new SwaggerUi(await context.newPage());
    await phone.open(service.url);
    await phone.openOperation('Auth-login');
    expect(await phone.overflow()).toBeLessThanOrEqual(0);
    expect(await phone.documentAddress()).toBe(`${service.url}/docs/openapi.json`);
    await phone.filter('Tasks');
    await waitFor('the other groups to vanish', async () => (await phone.groups()).join() === 'Tasks');
    expect(phone.complaints).toEqual([]);
    await context.close();
  });

  it('leads from the registration to the first notification', async () => {
    // With the example that the form holds already.
    const registered = await ui.execute<Tokens>('Auth-register');
    expect(registered.status).toBe(201);
    // Whoever has registered in the page is authorised for the rest.
    const { user } = registered.body;

    const example = await ui.execute<ShownTask>('Tasks-createTask');
    expect(example).toMatchObject({ status: 201, body: { status: 'todo' } });
    for (const body of [
      { title: 'Water the plants', priority: 'low' },
      { title: 'Call the bank', priority: 'urgent', tags: ['errand', 'phone'] },
    ]) {
      expect(await ui.execute('Tasks-createTask', { body })).toMatchObject({ status: 201, body });
    }

    const filtered = await ui.execute<PageOf<ShownTask>>('Tasks-listTasks', {
      parameters: { status: ['todo', 'in_progress'], priority: ['low', 'urgent'], sort: '-priority' },
    });
    expect(filtered.status).toBe(200);
    expect(filtered.body.data.map(({ title }) => title)).toEqual(['Call the bank', 'Water the plants']);

    expect(await ui.execute('Tasks-getTaskStats')).toMatchObject({
      status: 200,
      body: {
        total: 3,
        byStatus: { todo: 3, in_progress: 0, done: 0, archived: 0 },
        byPriority: { low: 1, urgent: 1 },
      },
    });

    const { id } = filtered.body.data[0] as ShownTask;
    const completed = await ui.execute<ShownTask>('Tasks-updateTask', {
      parameters: { id },
      body: { status: 'done' },
    });
    expect(completed).toMatchObject({ status: 200, body: { id, status: 'done' } });
    expect(completed.body.completedAt).not.toBeNull();

    const notification = await waitFor('the notification', async () => {
      const { body } = await ui.execute<PageOf<{ event: string }>>('Notifications-listNotifications');
      return body.data.find(({ event }) => event === 'task.completed');
    });
    expect(notification).toMatchObject({ body: '“Call the bank” is done.', data: { taskId: id }, readAt: null });

    const mail = await mailTo(user.email);
    expect(mail.subject).toBe('Confirm your email address');
    const verification = { token: tokenIn(mail), password: 'correct-horse-battery' };
    expect(await ui.execute('Auth-verifyEmail', { body: verification })).toMatchObject({ status: 204 });
    expect(await ui.execute('Users-getMe')).toMatchObject({ status: 200, body: { email: user.email } });
  });

  it('takes an access token in its dialog, and remembers it when the page is opened again', async () => {
    const { body } = await ui.execute<Tokens>('Auth-register', {
      body: { name: 'Grace Hopper', email: 'grace@example.org', password: 'compiler-of-1952' },
    });
    await ui.authorize(body.accessToken);
    await ui.open(service.url);
    expect(await ui.execute('Users-getMe')).toMatchObject({ status: 200, body: { email: 'grace@example.org' } });
  });
});
