import { ObjectId } from 'mongodb';
import { ApiClient, type ApiResponse, type PageOf, type Problem } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { runCli, startService, type TestService } from '../support/service.js';
import { createAdmin, logIn, newRegistration, registerUser, type TestUser, withRole } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

interface Profile {
  id: string;
  name: string;
  email: string;
  role: string;
  emailVerified: boolean;
  createdAt: string;
}

const USERS = '/api/v1/users';
const ME = `${USERS}/me`;
const PREFERENCES = `${ME}/preferences`;
const UNKNOWN_ID = '0123456789abcdef01234567';

let service: TestService;
let user: TestUser;
beforeAll(async () => {
  service = await startService();
  user = await registerUser(service);
});

describe('one’s own profile', () => {
  it('is deleted only as the request has seen it, also while another change is being committed', async () => {
    const { id, api, password } = await registerUser(service);
    const etag = (await api.get(ME)).headers.get('etag') ?? '';
    const conflicts = async () => {
      const metrics = await (await fetch(`${service.metricsUrl}/metrics`)).text();
      return Number(
        /^mongodb_command_duration_seconds_count\{.*command="findAndModify".*outcome="failure".* (\d+)$/m.exec(
          metrics,
        )?.[1] ?? 0,
      );
    };
    const before = await conflicts();
    const profiles = databaseOf(service).collection('users');
    let deletion: Promise<ApiResponse<Problem>> | undefined;
    await databaseOf(service).client.withSession(async (session) => {
      session.startTransaction();
      await profiles.updateOne({ _id: new ObjectId(id) }, { $inc: { version: 1 } }, { session });
      deletion = api.send<Problem>('DELETE', ME, { password }, { 'If-Match': etag });
      // It may be answered without having met the other one: that is the mistake.
      await Promise.race([deletion, waitFor('a conflict', async () => (await conflicts()) > before)]);
      await session.commitTransaction();
    });
    const { status, body } = await (deletion as Promise<ApiResponse<Problem>>);
    expect([status, body.code]).toEqual([412, 'VERSION_MISMATCH']);
    expect((await api.get(ME)).status).toBe(200);
  });

  it('is there as soon as the registration is answered', async () => {
    const users = await Promise.all(Array.from({ length: 10 }, () => registerUser(service)));
    const profiles = await Promise.all(users.map(({ api }) => api.get<Profile>(ME)));
    expect(profiles.map(({ status, body }) => [status, body.email])).toEqual(users.map(({ email }) => [200, email]));
    expect(profiles[0]?.body).toEqual({
      id: users[0]?.id,
      name: 'Ada Lovelace',
      email: users[0]?.email,
      emailVerified: false,
      role: 'user',
      phone: null,
      locale: 'en',
      timezone: 'UTC',
      avatarUrl: null,
      createdAt: users[0]?.tokens.user.createdAt,
      updatedAt: users[0]?.tokens.user.createdAt,
    });
  });

  it('takes changes and carries a new tag after each', async () => {
    const { api } = await registerUser(service);
    const before = await api.get<Profile>(ME);
    const changes = { name: 'Ada King', phone: '+436601234567', locale: 'de-AT', timezone: 'Europe/Vienna' };
    const { status, headers, body } = await api.patch<Profile>(ME, changes, {
      'If-Match': before.headers.get('etag') ?? '',
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ ...before.body, ...changes, updatedAt: expect.any(String) as string });
    expect(headers.get('etag')).not.toBe(before.headers.get('etag'));
    expect((await api.get(ME)).body).toEqual(body);
    expect((await api.patch<{ phone: null }>(ME, { phone: null })).body.phone).toBeNull();
  });

  it('answers 304 for the current tag and 412 for a stale one, which changes nothing', async () => {
    const { api } = await registerUser(service);
    const etag = (await api.get(ME)).headers.get('etag') ?? '';
    expect((await api.get(ME, { 'If-None-Match': etag })).status).toBe(304);
    expect((await api.patch(ME, { name: 'First' }, { 'If-Match': etag })).status).toBe(200);
    const stale = await api.patch<Problem>(ME, { name: 'Second' }, { 'If-Match': etag });
    expect([stale.status, stale.body.code]).toEqual([412, 'VERSION_MISMATCH']);
    expect((await api.get<Profile>(ME, { 'If-None-Match': etag })).body.name).toBe('First');
  });

  it('updates the name at the log-in', async () => {
    const renamed = await registerUser(service);
    await renamed.api.patch(ME, { name: 'Countess' });
    await waitFor('the name to arrive', async () => (await logIn(service, renamed)).tokens.user.name === 'Countess');
  });

  it('loses none of ten changes at once', async () => {
    const { api } = await registerUser(service);
    const first = Number(((await api.get(ME)).headers.get('etag') ?? '').replaceAll('"', ''));
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => api.patch(ME, { name: `Name ${index}` })),
    );
    const versions = answers.map(({ headers }) => Number((headers.get('etag') ?? '').replaceAll('"', '')));
    expect(versions.sort((a, b) => a - b)).toEqual(Array.from({ length: 10 }, (_, index) => first + 1 + index));
  });

  it.each<[string, (api: ApiClient) => Promise<ApiResponse<Problem>>]>([
    ['reading it', (api) => api.get(ME)],
    ['changing it', (api) => api.patch(ME, { name: 'Ada King' })],
    ['its preferences', (api) => api.get(PREFERENCES)],
    ['a picture', (api) => api.post(`${ME}/avatar`, { contentType: 'image/png', size: 1 })],
    ['a code by SMS', (api) => api.post(`${ME}/phone/send-code`)],
  ])('is refused as gone, at once, while the end of the tokens is only about to be known (%s)', async (_, ask) => {
    const { api, id } = await registerUser(service);
    await waitFor('the profile', async () => (await api.get(ME)).status === 200);
    // What a deletion commits before anybody hears of it.
    const _id = new ObjectId(id);
    await databaseOf(service).collection<{ at: Date }>('tombstones').insertOne({ _id, at: new Date() });
    await databaseOf(service).collection('users').deleteOne({ _id });
    const { status, body } = await ask(api);
    expect([status, body.code]).toEqual([401, 'UNAUTHENTICATED']);
  });

  it.each([
    ['an empty name', { name: '' }, 'name'],
    ['a name that is null', { name: null }, 'name'],
    ['a phone number without its country', { phone: '06601234567' }, 'phone'],
    ['a locale that is none', { locale: 'klingon!' }, 'locale'],
    ['a time zone that is none', { timezone: 'Europe/Atlantis' }, 'timezone'],
    ['the role', { role: 'admin' }, 'role'],
    ['the address', { email: 'new@example.org' }, 'email'],
    ['that it is verified', { emailVerified: true }, 'emailVerified'],
  ])('refuses %s', async (_, changes, field) => {
    const { status, body } = await user.api.patch<Problem>(ME, changes);
    expect([status, body.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(body.errors?.map((error) => error.field)).toEqual([field]);
    expect((await user.api.get<Profile>(ME)).body.role).toBe('user');
  });
});

describe('preferences', () => {
  const wanted = {
    channels: { email: false, push: true, sms: true },
    mutedEvents: ['task.completed', 'digest.daily'],
    quietHours: { start: '22:00', end: '07:00' },
    digest: 'daily',
  };

  it('have defaults', async () => {
    expect((await user.api.get(PREFERENCES)).body).toEqual({
      channels: { email: true, push: true, sms: false },
      mutedEvents: [],
      quietHours: null,
      digest: 'off',
    });
  });

  it('are replaced as a whole', async () => {
    const { api } = await registerUser(service);
    const { status, body, headers } = await api.put(PREFERENCES, wanted);
    expect([status, body]).toEqual([200, wanted]);
    expect((await api.get(PREFERENCES)).body).toEqual(wanted);
    const stale = await api.put<Problem>(PREFERENCES, wanted, { 'If-Match': '"1"' });
    expect(stale.status).toBe(412);
    const current = { 'If-Match': headers.get('etag') ?? '' };
    expect((await api.put(PREFERENCES, { ...wanted, quietHours: null }, current)).status).toBe(200);
  });

  it.each([
    ['half of them', { digest: 'off' }, ['channels', 'mutedEvents', 'quietHours']],
    ['a channel missing', { ...wanted, channels: { email: true, push: true } }, ['channels.sms']],
    ['a channel unknown', { ...wanted, channels: { ...wanted.channels, fax: true } }, ['channels.fax']],
    ['a channel that is a word', { ...wanted, channels: { ...wanted.channels, sms: 'true' } }, ['channels.sms']],
    ['channels that are null', { ...wanted, channels: null }, ['channels']],
    ['channels that are a list', { ...wanted, channels: [] }, ['channels']],
    ['an event unknown', { ...wanted, mutedEvents: ['task.imagined'] }, ['mutedEvents']],
    ['an event twice', { ...wanted, mutedEvents: ['task.completed', 'task.completed'] }, ['mutedEvents']],
    ['a time that is none', { ...wanted, quietHours: { start: '25:00', end: '07:00' } }, ['quietHours.start']],
    ['half of the quiet hours', { ...wanted, quietHours: { start: '22:00' } }, ['quietHours.end']],
    ['a digest unknown', { ...wanted, digest: 'weekly' }, ['digest']],
  ])('refuse %s', async (_, body, fields) => {
    const answer = await user.api.put<Problem>(PREFERENCES, body);
    expect([answer.status, answer.body.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(answer.body.errors?.map(({ field }) => field).sort()).toEqual([...fields].sort());
  });
});

describe('other people', () => {
  let admin: TestUser;
  let manager: TestUser;
  let people: TestUser[];
  const family = `Zuse${Date.now()}`;

  beforeAll(async () => {
    [admin, manager] = await Promise.all([
      createAdmin(service),
      registerUser(service).then((promoted) => withRole(service, promoted, 'manager')),
    ]);
    people = await Promise.all(
      Array.from({ length: 7 }, (_, index) => registerUser(service, { name: `${family} ${'abcdefg'[index]}` })),
    );
    await Promise.all(people.map(({ api }) => api.get(ME)));
  });

  it.each([
    ['GET', USERS],
    ['GET', `${USERS}/${UNKNOWN_ID}`],
    ['PATCH', `${USERS}/${UNKNOWN_ID}`],
  ])('are none of a user’s business: %s %s is 403', async (method, path) => {
    const { status, body } = await user.api.send<Problem>(method, path, method === 'PATCH' ? { name: 'X' } : undefined);
    expect([status, body.code]).toEqual([403, 'FORBIDDEN']);
  });

  it('can be read but not changed by a manager', async () => {
    const path = `${USERS}/${people[0]?.id}`;
    expect((await manager.api.get<Profile>(path)).body.email).toBe(people[0]?.email);
    expect((await manager.api.patch(path, { name: 'Renamed' })).status).toBe(403);
  });

  it('can be changed by an administrator, under conditions too', async () => {
    const somebody = await registerUser(service);
    await somebody.api.get(ME);
    const path = `${USERS}/${somebody.id}`;
    const { status, body, headers } = await admin.api.patch<Profile>(path, { name: 'Renamed' });
    expect([status, body.name]).toEqual([200, 'Renamed']);
    expect((await admin.api.patch(path, { name: 'Again' }, { 'If-Match': '"1"' })).status).toBe(412);
    expect((await admin.api.get(path, { 'If-None-Match': headers.get('etag') ?? '' })).status).toBe(304);
    expect((await somebody.api.get<Profile>(ME)).body.name).toBe('Renamed');
  });

  it.each([UNKNOWN_ID, 'nonsense'])('are 404 where there is nobody: %s', async (id) => {
    const answers = [
      admin.api.get<Problem>(`${USERS}/${id}`),
      admin.api.patch<Problem>(`${USERS}/${id}`, { name: 'X' }),
    ];
    for (const { status, body } of await Promise.all(answers)) expect([status, body.code]).toEqual([404, 'NOT_FOUND']);
  });

  it.each(['createdAt', '-createdAt', 'email', '-email'])('are listed in pages, sorted by %s', async (sort) => {
    const seen: Profile[] = [];
    let cursor: string | null = null;
    do {
      const suffix: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const query = `q=${family}&sort=${sort}&limit=3${suffix}`;
      const { body } = await manager.api.get<PageOf<Profile>>(`${USERS}?${query}`);
      seen.push(...body.data);
      cursor = body.page.nextCursor;
    } while (cursor !== null);
    expect(seen.map(({ id }) => id).sort()).toEqual(people.map(({ id }) => id).sort());
    const keys = seen.map((profile) => (sort.endsWith('email') ? profile.email : profile.createdAt));
    const ascending = [...keys].sort();
    expect(keys).toEqual(sort.startsWith('-') ? ascending.reverse() : ascending);
  });

  it('are filtered by role, and by how the name or the address begins, without case', async () => {
    const find = async (query: string) => {
      const { body } = await manager.api.get<PageOf<Profile>>(`${USERS}?limit=100&${query}`);
      return body.data.map(({ id }) => id);
    };
    expect(await find('role=admin')).toEqual([admin.id]);
    expect(await find('role=manager')).toEqual([manager.id]);
    expect(await find(`q=${family.toUpperCase()}%20C`)).toEqual([people[2]?.id]);
    expect(await find(`q=${(people[3]?.email as string).slice(0, 20).toUpperCase()}`)).toEqual([people[3]?.id]);
    const another = `q=${encodeURIComponent((people[3]?.email as string).replace('example', 'ⓔxam\u00adple'))}`;
    expect(await find(another)).toEqual([people[3]?.id]);
    expect(await find('q=.*')).toEqual([]);
    expect(await find(`q=${family}&role=admin`)).toEqual([]);
  });

  it.each([
    ['role=root', 'role'],
    ['sort=name', 'sort'],
    ['q=', 'q'],
    ['limit=1000', 'limit'],
    ['cursor=nonsense', 'cursor'],
    ['password=x', 'password'],
    ['q[$regex]=.', 'q[$regex]'],
  ])('refuse ?%s', async (query, field) => {
    const { status, body } = await manager.api.get<Problem>(`${USERS}?${query}`);
    expect([status, body.errors?.map((error) => error.field)]).toEqual([400, [field]]);
  });
});

describe('create-admin', () => {
  const run = (name: string, email: string, password: string) =>
    runCli(service, ['create-admin', '--name', name, '--email', email], { ADMIN_PASSWORD: password });

  it('makes an administrator with a verified address, who can log in', async () => {
    const admin = await createAdmin(service);
    expect(admin.tokens.user).toMatchObject({ role: 'admin', emailVerified: true });
    expect((await admin.api.get<Profile>(ME)).body).toMatchObject({ role: 'admin', emailVerified: true });
  });

  it('says what is wrong, without the password, and makes nobody', async () => {
    const { email } = newRegistration();
    const weak = await run('Grace', email, 'password1234');
    expect(weak.code).toBe(2);
    expect(weak.output).toMatch(/^password: must not be one of the commonest/m);
    expect(weak.output).not.toContain('password1234');
    const nameless = await run('', email, 'correct-horse-battery');
    expect([nameless.code, nameless.output]).toEqual([2, expect.stringMatching(/^name: /m)]);
    const login = await new ApiClient(service).post('/api/v1/auth/login', { email, password: 'correct-horse-battery' });
    expect(login.status).toBe(401);
  });

  it('refuses an address that is taken', async () => {
    const { code, output } = await run('Grace', user.email, 'correct-horse-battery');
    expect([code, output.trim()]).toEqual([1, 'There is an account with this email address already.']);
  });

  it('explains itself', async () => {
    const [bare, unknown] = await Promise.all([runCli(service, []), runCli(service, ['destroy-everything'])]);
    expect([bare.code, unknown.code]).toEqual([0, 2]);
    expect(bare.output).toContain('create-admin');
  });
});
