import { createServer } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { ObjectId } from 'mongodb';
import { SMTPServer } from 'smtp-server';
import { ApiClient, type Problem, sendRaw } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { mailTo } from '../support/mail.js';
import { newPushKeys } from '../support/push.js';
import { startService, type TestService } from '../support/service.js';
import { TASKS } from '../support/tasks.js';
import { newEmail, registerUser, registerVerifiedUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';
import { Contract } from './support/contract.js';
import { atOnce, tally } from './support/requests.js';

/** OWASP API Security Top 10 (2023), the lines about the service itself and what it talks to. */

const AUTH = '/api/v1/auth';
const ME = '/api/v1/users/me';

let service: TestService;
let contract: Contract;
let user: TestUser;
beforeAll(async () => {
  service = await startService({ MAX_EVENT_LOOP_LAG_MS: '60000' });
  contract = await Contract.of(service);
  user = await registerUser(service);
});

describe('API4:2023 Unrestricted Resource Consumption', () => {
  it.each(['limit=0', 'limit=101', 'limit=-1', 'limit=1e9', 'limit=NaN', 'limit=', 'limit=5&limit=100', 'cursor=x'])(
    'refuses a list with ?%s',
    async (query) => {
      for (const path of [TASKS, '/api/v1/notifications']) {
        expect(await user.api.get(`${path}?${query}`)).toMatchObject({
          status: 400,
          body: { code: 'VALIDATION_FAILED' },
        });
      }
    },
  );

  it.each<[string, number, unknown]>([
    ['beyond 1 MiB', 413, { title: 'x'.repeat(1024 * 1024) }],
    ['of a hundred thousand levels', 400, `{"title":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    [
      'of fifty thousand unknown members',
      400,
      Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`m${i}`, i])),
    ],
    ['with a title that is too long', 400, { title: 'x'.repeat(201) }],
    ['with a description that is too long', 400, { title: 'x', description: 'x'.repeat(10_001) }],
    ['with 21 tags', 400, { title: 'x', tags: Array.from({ length: 21 }, String) }],
    ['with a tag that is too long', 400, { title: 'x', tags: ['x'.repeat(41)] }],
  ])('refuses a body %s, at once', async (_, expected, body) => {
    const started = Date.now();
    const { status } = await user.api.post(TASKS, body);
    expect(status).toBe(expected);
    expect(Date.now() - started).toBeLessThan(5000);
  });

  it('hashes no password that is longer than passwords are', async () => {
    const { status } = await user.api.post(`${AUTH}/login`, { email: user.email, password: 'x'.repeat(100_000) });
    expect(status).toBe(400);
  });

  it('limits how often anybody asks, those with tokens that are made up among them', async () => {
    const limited = await service.replica({ THROTTLE_GENERAL_LIMIT: '10', TRUST_PROXY: '1' });
    const { api } = await registerUser(service);
    expect(tally(await atOnce(15, () => api.at(limited).get(TASKS)))).toEqual({ 200: 10, 429: 5 });
    const guess = (number: number) =>
      new ApiClient(limited, `made-up-${number}`).get(TASKS, { 'X-Forwarded-For': '198.51.100.77' });
    expect(tally(await atOnce(15, guess))).toEqual({ 401: 10, 429: 5 });
  });
});

describe('API7:2023 Server Side Request Forgery', () => {
  it('fetches no address that is given to it, in any text it takes', async () => {
    let visits = 0;
    const bait = createServer((_request, response) => void response.end(String(++visits))).listen(0, '127.0.0.1');
    await once(bait, 'listening');
    const url = `http://127.0.0.1:${(bait.address() as AddressInfo).port}/secret`;
    for (const { method, path, bodySchema } of contract.operations) {
      const members = Object.keys(contract.resolve(bodySchema ?? {}).properties ?? {});
      const body = bodySchema && Object.fromEntries(members.map((name) => [name, url]));
      await user.api.send(method.toUpperCase(), path.replace(/\{\w+\}/g, encodeURIComponent(url)), body, {
        Referer: url,
      });
    }
    await user.api.patch(ME, { name: url });
    await user.api.post(TASKS, { title: url, description: `![](${url})`, tags: ['x'], status: 'done' });
    await registerUser(service, { name: url });
    expect(visits).toBe(0);
    bait.close();
  });

  it('takes no address of anything to fetch: who adds such a field has to show that it is safe', () => {
    const fields = contract.operations.flatMap(({ bodySchema }) =>
      Object.entries(contract.resolve(bodySchema ?? {}).properties ?? {}),
    );
    const suspicious = fields.filter(([name, { format }]) =>
      /ur[il]|host|endpoint|callback|webhook/i.test(name + format),
    );
    expect(suspicious.map(([name]) => name)).toEqual(['endpoint']);
  });

  it('connects to no machine of its own for the one address it takes, however that came in', async () => {
    let visits = 0;
    const bait = createTcpServer((socket) => {
      visits++;
      socket.destroy();
    }).listen(0);
    await once(bait, 'listening');
    const { port } = bait.address() as AddressInfo;
    const owner = await registerVerifiedUser(service);
    const { status, body } = await owner.api.post<{ id: string }>('/api/v1/notifications/push/subscriptions', {
      endpoint: 'https://push.example.org/1',
      keys: newPushKeys(),
    });
    expect(status).toBe(201);
    const subscriptions = databaseOf(service).collection('pushsubscriptions');
    const deliveries = databaseOf(service).collection('deliveries');
    const contacts = databaseOf(service).collection('contacts');
    const pushes = { user: new ObjectId(owner.id), channel: 'push' };
    for (const host of ['localhost', '127.0.0.1', '[::1]', '[::ffff:7f00:1]']) {
      // Past the checks of the route, as a name would be that leads elsewhere by now.
      const endpoint = `https://${host}:${port}/`;
      await subscriptions.updateOne({ _id: new ObjectId(body.id) }, { $set: { endpoint } });
      // Events within a minute would be collected, and what failed before would be tried again.
      await contacts.updateOne({ _id: new ObjectId(owner.id) }, { $unset: { burstsUntil: 1 } });
      await deliveries.deleteMany(pushes);
      await owner.api.post(TASKS, { title: host, status: 'done' });
      await waitFor(`a failure of ${host}`, () => deliveries.findOne({ ...pushes, lastError: 'unreachable' }));
    }
    expect(visits).toBe(0);
    bait.close();
  });
});

describe('API8:2023 Security Misconfiguration', () => {
  it('forbids browsers to run, frame and guess content', async () => {
    for (const path of ['/health', TASKS, '/docs', '/nowhere']) {
      const { headers } = await new ApiClient(service).get(path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toMatch(/default-src '(none|self)'/);
      expect(headers.get('content-security-policy')).not.toMatch(/script-src[^;]*'unsafe-(inline|eval)'/);
      expect(headers.has('x-powered-by') || headers.has('server')).toBe(false);
    }
  });

  it('lets no other origin read answers unless it is configured', async () => {
    for (const origin of ['https://evil.example.org', 'null', service.url.replace('127.0.0.1', 'localhost')]) {
      const { headers } = await user.api.get(TASKS, { Origin: origin });
      expect([headers.get('access-control-allow-origin'), headers.get('access-control-allow-credentials')]).toEqual([
        null,
        null,
      ]);
    }
  });

  it.each(['TRACE', 'PROPFIND', 'PUT', 'DELETE'])('refuses the method %s where there is none', async (method) => {
    const { status } = await sendRaw(service, method, TASKS, { Authorization: `Bearer ${user.tokens.accessToken}` });
    expect([404, 405]).toContain(status);
  });

  it.each([
    '/metrics',
    '/.env',
    '/.git/config',
    '/package.json',
    '/docs/../package.json',
    '/docs/%2e%2e/package.json',
    '/docs/package.json',
    '/docs/%70ackage.json',
    '/docs/./package.json',
    '/docs/README.md',
    '/docs/swagger-ui-bundle.js.map',
    '/docs/log.bundle-sizes.swagger-ui.txt',
    '/docs/oauth2-redirect.html',
    '/debug',
  ])('gives away nothing at %s', async (path) => {
    expect((await sendRaw(service, 'GET', path)).status).toBe(404);
  });

  it('keeps the metrics on a port of their own, and nothing else there', async () => {
    expect((await fetch(`${service.metricsUrl}/metrics`)).status).toBe(200);
    for (const path of ['/', '/health', TASKS]) expect((await fetch(service.metricsUrl + path)).status).toBe(404);
  });

  it('answers errors without stacks, paths or words of libraries', async () => {
    const answers = await Promise.all([
      user.api.post<Problem>(TASKS, '{"title":'),
      user.api.post<Problem>(TASKS, { title: { $gt: '' } }),
      user.api.get<Problem>(`${TASKS}?cursor=e30.e30`),
      user.api.post<Problem>(`${AUTH}/mfa/totp/confirm`, { code: 'éééééé' }),
      new ApiClient(service, 'a.b.c').get<Problem>(TASKS),
      sendRaw<Problem>(service, 'GET', '/api/v1/%zz'),
      sendRaw<Problem>(service, 'GET', '/docs/swagger-ui.css', { Range: 'bytes=999999999-' }),
      sendRaw<Problem>(service, 'GET', '/docs/swagger-ui.css', { 'If-Match': '"another"' }),
    ]);
    for (const { status, headers, body } of answers) {
      expect(status).toBeLessThan(500);
      expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(JSON.stringify(body)).not.toMatch(
        /node_modules|\bat \w+[. ]|\.[jt]s\b|mongo|bson|fastify|nest|jsonwebtoken|position \d/i,
      );
    }
  });
});

describe('API9:2023 Improper Inventory Management', () => {
  it('has every operation of the document, and none at another version or without one', async () => {
    for (const { method, path } of contract.operations) {
      const filled = path.replace(/\{\w+\}/g, user.id);
      const answer = await new ApiClient(service).send<Problem>(method.toUpperCase(), filled);
      expect({ path, code: answer.status < 300 ? '' : answer.body.code }).not.toMatchObject({
        code: 'METHOD_NOT_ALLOWED',
      });
      if (!path.startsWith('/api/')) continue;
      expect(answer.body?.detail ?? '').not.toBe('There is nothing here.');
      for (const old of [
        filled.replace('/v1/', '/'),
        filled.replace('/v1/', '/v0/'),
        filled.replace('/api/v1/', '/'),
      ]) {
        expect(await user.api.send(method.toUpperCase(), old)).toMatchObject({ status: 404 });
      }
    }
  });

  it('documents every method that answers at one of its paths', async () => {
    const templates = contract.operations.map(({ method, path }) => ({
      method: method.toUpperCase(),
      pattern: new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
    }));
    for (const path of new Set(contract.operations.map((operation) => operation.path))) {
      const filled = path.replace(/\{\w+\}/g, user.id);
      const documented = templates.filter(({ pattern }) => pattern.test(filled)).map(({ method }) => method);
      const { status, headers } = await sendRaw(service, 'PROPFIND', filled);
      const allowed = (headers.get('allow') ?? '')
        .split(', ')
        .filter((method) => !['HEAD', 'OPTIONS'].includes(method));
      expect({ path, status, allowed }).toEqual({ path, status: 405, allowed: [...new Set(documented)].sort() });
    }
  });
});

describe('API10:2023 Unsafe Consumption of APIs', () => {
  it.each(['\r\nBcc: other@example.org', '\nX-Injected: 1', '\r\n\r\n<script>alert(1)</script>'])(
    'lets no name or address put lines of its own into a mail (%j)',
    async (injection) => {
      const anonymous = new ApiClient(service);
      const password = 'correct-horse-battery';
      const name = `Eve${injection}`.slice(0, 100);
      for (const input of [{ email: newEmail() + injection }, { name }]) {
        const registration = { name: 'Eve', email: newEmail(), password, ...input };
        expect(await anonymous.post(`${AUTH}/register`, registration)).toMatchObject({ status: 400 });
      }
      // An earlier release may have stored such a name.
      const named = await registerVerifiedUser(service);
      await databaseOf(service)
        .collection('contacts')
        .updateOne({ _id: new ObjectId(named.id) }, { $set: { name } });
      await named.api.post(`${AUTH}/password/change`, {
        currentPassword: password,
        newPassword: 'another-horse-battery',
      });
      const mail = await mailTo(named.email, ({ subject }) => subject === 'Your password was changed');
      expect(mail.to).toBe(named.email);
      expect(mail.html).not.toContain('<script>');
    },
  );

  it("shows users nothing of a mail server's words, and goes on when it misbehaves", async () => {
    const words = 'EvilServer says <script>alert(1)</script> 10.0.0.7';
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onRcptTo: (_address, _session, callback) => callback(Object.assign(new Error(words), { responseCode: 550 })),
    });
    server.listen(0, '127.0.0.1');
    await once(server.server, 'listening');
    const { port } = server.server.address() as AddressInfo;
    const unlucky = await service.replica({
      SMTP_URL: `smtp://127.0.0.1:${port}`,
      MONGODB_URI: `${service.mongodbUri.replace(/\?.*/, '')}_smtp`,
    });
    const { api } = await registerUser(unlucky);
    await waitFor('a refusal', () => unlucky.logs().includes('EvilServer'));
    const seen = await Promise.all(
      [ME, `${ME}/export`, '/api/v1/notifications', '/health'].map((path) => api.get(path)),
    );
    expect(JSON.stringify(seen.map(({ body }) => body))).not.toContain('EvilServer');
    expect(tally(seen)).toEqual({ 200: 4 });
    await unlucky.stop();
    await new Promise<void>((resolve) => server.close(resolve));
  });
});
