import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { MODULES } from '../../src/contracts/modules.js';
import {
  freePort,
  type Nginx,
  type NginxOptions,
  type Replica,
  send,
  startNginx,
  startReplica,
} from './support/nginx.js';

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

async function replica(...args: Parameters<typeof startReplica>): Promise<Replica> {
  const started = await startReplica(...args);
  running.push(started);
  return started;
}

async function proxy(replicas: (Replica | number)[], options: NginxOptions): Promise<Nginx> {
  const ports = replicas.map((one) => (typeof one === 'number' ? one : one.port));
  const nginx = await startNginx(ports, options);
  running.push(nginx);
  return nginx;
}

const times = <T>(count: number, work: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));
const counts = (replicas: Replica[]) => replicas.map(({ seen }) => seen.length);

describe('least-conn', () => {
  it('gives a request to the instance with the fewest requests in progress', async () => {
    const slow = await replica('answers', (response) => void setTimeout(() => response.end(), 3000));
    const quick = [await replica(), await replica()];
    const nginx = await proxy([slow, ...quick], {});
    const held = times(3, () => send(nginx.port));
    while (slow.seen.length === 0) await sleep(10);
    for (let sent = 0; sent < 20; sent += 1) await send(nginx.port);
    // It still works on its first: in turn, it would have had seven more.
    expect(slow.seen).toHaveLength(1);
    await held;
  });

  it('leaves one alone that shuts down, which then serves only what cannot be repeated', async () => {
    const replicas = [await replica('leaves'), await replica(), await replica()];
    const nginx = await proxy(replicas, {});
    for (let sent = 0; sent < 30; sent += 1) {
      const { status, body } = await send(nginx.port, { method: sent % 4 === 0 ? 'POST' : 'GET' });
      expect([status, body]).not.toContain(502);
    }
    const { seen } = replicas[0]!;
    expect(seen.filter(({ method }) => method === 'GET')).toHaveLength(3);
    // Out of the rotation: nothing came after the third.
    expect(seen.at(-1)!.method).toBe('GET');
  });
});

describe('weighted', () => {
  it('shares by weight, and leaves the reserve alone', async () => {
    const replicas = [await replica(), await replica(), await replica()];
    const nginx = await proxy(replicas, { upstreams: 'weighted' });
    for (let sent = 0; sent < 80; sent += 1) await send(nginx.port);
    expect(counts(replicas)).toEqual([60, 20, 0]);
  });

  it('turns to the reserve when no other can be reached, for every method', async () => {
    const reserve = await replica();
    const nginx = await proxy([await freePort(), await freePort(), reserve], { upstreams: 'weighted' });
    for (const method of ['GET', 'POST', 'PATCH', 'DELETE']) {
      expect((await send(nginx.port, { method })).body).toBe(String(reserve.port));
    }
  });
});

describe('round-robin', () => {
  it('takes turns, however long one takes', async () => {
    const replicas = [await replica(), await replica(), await replica()];
    const nginx = await proxy(replicas, { upstreams: 'round-robin' });
    for (let sent = 0; sent < 30; sent += 1) await send(nginx.port);
    expect(counts(replicas)).toEqual([10, 10, 10]);
  });
});

describe('ip-hash', () => {
  it('keeps an address with its replica, and spreads addresses', async () => {
    const replicas = [await replica(), await replica(), await replica()];
    // Whoever connects from the loopback may say here that it is somebody else.
    const nginx = await proxy(replicas, {
      upstreams: 'ip-hash',
      clientAddress: 'aws',
      changes: [['set_real_ip_from 10.0.0.0/8;', 'set_real_ip_from 127.0.0.0/8;']],
    });
    const from = async (address: string) => (await send(nginx.port, { headers: { 'X-Forwarded-For': address } })).body;
    const homes = new Set<string>();
    for (let network = 1; network <= 20; network += 1) {
      const home = await from(`203.0.${network}.7`);
      homes.add(home);
      for (let sent = 0; sent < 3; sent += 1) expect(await from(`203.0.${network}.7`)).toBe(home);
    }
    expect(homes.size).toBe(3);
  });
});

describe('split', () => {
  it.each([
    ['POST', '/api/v1/auth/login', 'auth'],
    ['GET', '/verify-email', 'auth'],
    ['GET', '/static/page.js', 'auth'],
    ['GET', '/reset-password', 'auth'],
    ['GET', '/.well-known/jwks.json', 'auth'],
    ['GET', '/api/v1/users/me', 'users'],
    ['PATCH', '/api/v1/users/me', 'users'],
    ['DELETE', '/api/v1/users/me', 'auth'],
    ['DELETE', '/api/v1/users/0123456789abcdef01234567', 'users'],
    ['GET', '/api/v1/users/me/export', 'users'],
    ['POST', '/unsubscribe', 'users'],
    ['GET', '/api/v1/tasks?limit=1', 'tasks'],
    ['GET', '/api/v1/tasks/stats', 'tasks'],
    ['GET', '/api/v1/notifications', 'notifications'],
    ['GET', '/ws', 'notifications'],
  ])('leads %s %s to %s', async (method, path, module) => {
    const replicas = await times(MODULES.length, () => replica());
    const nginx = await proxy(replicas, { upstreams: 'split', routes: 'split' });
    expect((await send(nginx.port, { method, path })).status).toBe(200);
    const served = replicas.flatMap(({ seen }, index) => seen.map((one) => [MODULES[index], one.path]));
    expect(served).toEqual([[module, path]]);
  });

  it.each<[number, string, string, (response: ServerResponse) => void]>([
    [200, 'every module is', 'tasks', (response) => response.end()],
    [503, 'a module is not', 'tasks', (response) => response.writeHead(503).end()],
    [503, 'the last module hangs', MODULES.at(-1)!, () => undefined],
    [503, 'a module breaks off', 'users', (response) => response.socket!.destroy()],
  ])('answers %i to the question whether it is ready, where %s', async (status, _, asked, answer) => {
    const replicas = await Promise.all(
      MODULES.map((name) => replica('answers', name === asked ? answer : (response) => void response.end())),
    );
    const nginx = await proxy(replicas, { upstreams: 'split', routes: 'split' });
    const ready = await send(nginx.port, { path: '/health/ready' });
    expect(ready.status).toBe(status);
    if (status === 503) expect(JSON.parse(ready.body)).toMatchObject({ status: 503, code: 'DEPENDENCY_UNAVAILABLE' });
    expect((await send(nginx.port, { path: '/health/ready/auth' })).status).toBe(200);
    expect((await send(nginx.port, { path: '/health/live' })).status).toBe(200);
  });

  it('repeats within a module alone', async () => {
    const others = await times(MODULES.length - 1, () => replica());
    const nginx = await proxy([await replica('breaks-off'), ...others], { upstreams: 'split', routes: 'split' });
    expect((await send(nginx.port, { path: '/api/v1/auth/sessions' })).status).toBe(503);
    expect(counts(others)).toEqual(others.map(() => 0));
  });
});
