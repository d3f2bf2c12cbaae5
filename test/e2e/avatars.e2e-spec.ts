import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiClient, type Problem, sendRaw } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { sendFile, upload, type UploadBody } from '../support/files.js';
import { freePort } from '../../local/ports.js';
import { startService, storagePath, type TestService } from '../support/service.js';
import { createAdmin, registerUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const ME = '/api/v1/users/me';
const AVATAR = `${ME}/avatar`;
const ORIGIN = 'https://app.test.org';
/** The smallest PNG there is. */
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=',
  'base64',
);
const FILE = { contentType: 'image/png', size: PICTURE.length };

let service: TestService;
let user: TestUser;
beforeAll(async () => {
  const port = String(await freePort());
  // On the local disk: its URLs lead to the service itself.
  service = await startService({ PORT: port, PUBLIC_URL: `http://127.0.0.1:${port}`, CORS_ORIGINS: ORIGIN });
  user = await registerUser(service);
}, 120_000);

const removals = () => databaseOf(service).collection('objectremovals');
const pictureUrl = async (avatarUrl: string) => String((await sendFile(avatarUrl)).headers['location']);
const isThere = async (url: string) => (await sendFile(url)).status === 200;

/** Gives somebody a picture. @returns its address */
async function show({ api }: TestUser): Promise<string> {
  const created = await api.post<UploadBody>(AVATAR, FILE);
  expect([created.status, await upload(created.body, PICTURE)]).toEqual([201, 200]);
  const { status, body } = await api.post<{ avatarUrl: string }>(`${AVATAR}/complete`);
  expect(status).toBe(200);
  return body.avatarUrl;
}

describe('an avatar', () => {
  it('is uploaded, completed, and shown to everybody who has its address', async () => {
    const before = (await user.api.get(ME)).headers.get('etag');
    const avatarUrl = await show(user);
    expect(avatarUrl).toMatch(new RegExp(`^${service.url}/api/v1/users/${user.id}/avatar/[0-9a-f]{32}$`));
    const profile = await user.api.get<{ avatarUrl: string }>(ME);
    expect(profile.body.avatarUrl).toBe(avatarUrl);
    expect(profile.headers.get('etag')).not.toBe(before);
    // As an image in a page of another origin asks: without a token.
    const { status, headers } = await sendFile(avatarUrl);
    expect([status, headers['cache-control']]).toEqual([302, 'private, max-age=240']);
    expect(headers['cross-origin-resource-policy']).toBe('cross-origin');
    // RFC 9110, 13.2.1: conditions are ignored where the answer isn't 2xx.
    expect((await sendFile(avatarUrl, 'GET', { 'If-None-Match': '*', 'If-Match': '"1"' })).status).toBe(302);
    const picture = await sendFile(String(headers['location']));
    expect([picture.status, picture.headers['content-type'], picture.body]).toEqual([200, 'image/png', PICTURE]);
    expect(picture.headers).toMatchObject({
      'content-disposition': 'inline',
      'cross-origin-resource-policy': 'cross-origin',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining("default-src 'none'") as string,
    });
  });

  it('for which the disk has no space is answered 503, leaves nothing, and is taken once there is some', async () => {
    const size = 200 * 1024;
    const picture = Buffer.concat([PICTURE, Buffer.alloc(size - PICTURE.length)]);
    const { body } = await user.api.post<UploadBody>(AVATAR, { ...FILE, size });
    service.limitFileSize(size / 2);
    const refused = await sendFile(body.uploadUrl, body.method, body.headers, picture);
    const problem = JSON.parse(refused.body.toString()) as Problem;
    expect([refused.status, problem.code]).toEqual([503, 'DEPENDENCY_UNAVAILABLE']);
    expect(refused.headers['retry-after']).toMatch(/^\d+$/);
    expect(await readdir(join(storagePath(service.databaseName), '.unfinished'))).toEqual([]);
    service.limitFileSize();
    expect(await upload(body, picture)).toBe(200);
  });

  it('is seen by managers, and in the export', async () => {
    const person = await registerUser(service);
    const avatarUrl = await show(person);
    const admin = await createAdmin(service);
    expect((await admin.api.get(`/api/v1/users/${person.id}`)).body).toMatchObject({ avatarUrl });
    expect((await person.api.get(`${ME}/export`)).body).toMatchObject({ data: { users: { profile: { avatarUrl } } } });
  });

  it('is replaced by the next one, and goes', async () => {
    const first = await show(user);
    const url = await pictureUrl(first);
    expect(await isThere(url)).toBe(true);
    const second = await show(user);
    expect(second).not.toBe(first);
    expect((await sendFile(first)).status).toBe(404);
    await waitFor('the old picture to go', async () => !(await isThere(url)));
    expect(await isThere(await pictureUrl(second))).toBe(true);
  });

  it('goes with its user', async () => {
    const person = await registerUser(service);
    const avatarUrl = await show(person);
    const url = await pictureUrl(avatarUrl);
    await person.api.send('DELETE', ME, { password: person.password });
    await waitFor('the picture to go', async () => !(await isThere(url)));
    expect((await sendFile(avatarUrl)).status).toBe(404);
  });

  it('stays as it is until the new one is complete', async () => {
    const avatarUrl = await show(user);
    const created = await user.api.post<UploadBody>(AVATAR, FILE);
    const incomplete = await user.api.post<Problem>(`${AVATAR}/complete`);
    expect([incomplete.status, incomplete.body.code]).toEqual([409, 'UPLOAD_INCOMPLETE']);
    expect((await user.api.get(ME)).body).toMatchObject({ avatarUrl });
    expect(await upload(created.body, PICTURE)).toBe(200);
    const completed = await Promise.all([1, 2, 3].map(() => user.api.post(`${AVATAR}/complete`)));
    expect(completed.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(completed.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  });

  it('cannot be completed where nothing was ever announced', async () => {
    const { api } = await registerUser(service);
    expect((await api.post<Problem>(`${AVATAR}/complete`)).body.code).toBe('UPLOAD_INCOMPLETE');
  });

  it('is not shown where the file is no picture, and its place is free for another one', async () => {
    const person = await registerUser(service);
    const page = Buffer.from('<script>alert(document.domain)</script>');
    const { body } = await person.api.post<UploadBody>(AVATAR, { ...FILE, size: page.length });
    expect(await upload(body, page)).toBe(200);
    const refused = await person.api.post<Problem>(`${AVATAR}/complete`);
    expect([refused.status, refused.body.code]).toEqual([409, 'UPLOAD_INCOMPLETE']);
    expect(refused.body.detail).toContain('not image/png');
    await show(person);
  });

  it('cannot be uploaded any more once another one was announced', async () => {
    const person = await registerUser(service);
    const first = await person.api.post<UploadBody>(AVATAR, FILE);
    await person.api.post<UploadBody>(AVATAR, FILE);
    await waitFor('the removal', async () => {
      return (await removals().countDocuments({ 'path.0': person.id, uploadable: true })) === 0;
    });
    expect(await upload(first.body, PICTURE)).toBe(412);
  });

  it('is given up where nobody completes it', async () => {
    const person = await registerUser(service);
    const { body } = await person.api.post<UploadBody>(AVATAR, FILE);
    expect(await upload(body, PICTURE)).toBe(200);
    await removals().updateMany({ 'path.0': person.id }, { $set: { availableAt: new Date() } });
    await waitFor('the work', async () => (await removals().countDocuments({ 'path.0': person.id })) === 0);
    expect((await person.api.post<Problem>(`${AVATAR}/complete`)).body.code).toBe('UPLOAD_INCOMPLETE');
    // The key is free again.
    expect(await upload(body, PICTURE)).toBe(200);
  });

  it.each([
    ['contentType', { contentType: 'image/svg+xml' }],
    ['contentType', { contentType: 'image/gif' }],
    ['size', { size: 5 * 1024 * 1024 + 1 }],
    ['size', { size: 0 }],
    ['url', { url: 'http://169.254.169.254/' }],
  ])('is refused for its %s where that is %j', async (field, wrong) => {
    const { status, body } = await user.api.post<Problem>(AVATAR, { ...FILE, ...wrong });
    expect([status, body.errors?.[0]?.field]).toEqual([400, field]);
  });

  it('is shown ten times as often as the general limit says, to one network, whatever else it asks for', async () => {
    const path = new URL(await show(user)).pathname;
    const limited = await service.replica({ PORT: '0', THROTTLE_GENERAL_LIMIT: '3', TRUST_PROXY: '1' });
    const address = { 'X-Forwarded-For': `2001:db8:${randomBytes(2).toString('hex')}::1` };
    const ask = (target: string) => sendFile(limited.url + target, 'GET', address);
    const answers = await Promise.all(Array.from({ length: 31 }, () => ask(path)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 302)).toHaveLength(30);
    expect(refused).toHaveLength(1);
    expect(Number(refused[0]?.headers['retry-after'])).toBeGreaterThan(0);
    // Pictures use up nothing else.
    expect((await ask('/api/v1/users/me')).status).toBe(401);
    await limited.stop();
  }, 60_000);

  it('is nobody else’s', async () => {
    const id = (await show(user)).split('/').at(-1) ?? '';
    const stranger = await registerUser(service);
    for (const path of [`${stranger.id}/avatar/${id}`, `${user.id}/avatar/${'0'.repeat(32)}`, `x/avatar/${id}`]) {
      expect((await new ApiClient(service).get(`/api/v1/users/${path}`)).status).toBe(404);
    }
    expect((await new ApiClient(service).post(AVATAR, FILE)).status).toBe(401);
  });
});

describe('the store on the local disk, over HTTP', () => {
  it('answers a page of an allowed origin, and no other', async () => {
    const { body } = await user.api.post<UploadBody>(AVATAR, FILE);
    const preflight = (origin: string) =>
      sendFile(body.uploadUrl, 'OPTIONS', {
        Origin: origin,
        'Access-Control-Request-Method': 'PUT',
        'Access-Control-Request-Headers': 'content-type,if-none-match',
      });
    const { headers } = await preflight(ORIGIN);
    expect(headers['access-control-allow-origin']).toBe(ORIGIN);
    expect(headers['access-control-allow-methods']).toContain('PUT');
    expect(headers['access-control-allow-headers']).toMatch(/Content-Type.*If-None-Match/);
    expect((await preflight('https://evil.test.org')).headers['access-control-allow-origin']).toBeUndefined();
  });

  it.each(['/files/', '/files/avatars', '/files/../package.json', '/files/..%2f..%2fpackage.json', '/files/a%00b'])(
    'gives and takes nothing at %s without a signature',
    async (path) => {
      const answers = await Promise.all(['GET', 'PUT'].map((method) => sendRaw<Problem>(service, method, path)));
      expect(answers.map(({ body }) => body.code)).toEqual(['FORBIDDEN', 'FORBIDDEN']);
    },
  );

  it('writes no signature into the log', async () => {
    const url = await pictureUrl(await show(user));
    expect(await isThere(url)).toBe(true);
    expect(service.logs()).not.toContain(new URL(url).searchParams.get('signature'));
  });
});
