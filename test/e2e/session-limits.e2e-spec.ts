import { ObjectId } from 'mongodb';
import { ApiClient, type PageOf } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { startService, type TestService } from '../support/service.js';
import { logIn, registerUser, type Tokens, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const AUTH = '/api/v1/auth';
const ME = '/api/v1/users/me';
const MAX_SESSIONS = 50;
const MAX_AGE_MS = 90 * 24 * 3_600_000;

let service: TestService;
let other: TestService;
beforeAll(async () => {
  service = await startService();
  other = await service.replica();
});

function sessions() {
  return databaseOf(service).collection('sessions');
}

function refresh(refreshToken: string, at: TestService = service) {
  return new ApiClient(at).post<Tokens>(`${AUTH}/refresh`, { refreshToken });
}

/** Sets the time at which the user's only session began. */
async function began(user: TestUser, createdAt: Date): Promise<void> {
  await sessions().updateOne({ user: new ObjectId(user.id) }, { $set: { createdAt } });
}

describe('the age of a session', () => {
  it('ends it, however recently it was refreshed', async () => {
    const user = await registerUser(service);
    await began(user, new Date(Date.now() - MAX_AGE_MS - 1000));
    expect((await refresh(user.tokens.refreshToken)).status).toBe(401);
    const { body } = await user.api.get<PageOf<unknown>>(`${AUTH}/sessions`);
    expect(body.data).toEqual([]);
  });

  it('is the most that a refresh extends it and its tokens to', async () => {
    const user = await registerUser(service);
    const createdAt = new Date(Date.now() - MAX_AGE_MS + 300_000);
    await began(user, createdAt);
    const { status, body } = await refresh(user.tokens.refreshToken);
    expect(status).toBe(200);
    expect(body.expiresIn).toBeLessThanOrEqual(300);
    const [, claims = ''] = body.accessToken.split('.');
    const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { exp: number };
    expect(exp * 1000).toBeLessThanOrEqual(createdAt.getTime() + MAX_AGE_MS);
    const stored = await sessions().findOne({ user: new ObjectId(user.id) });
    expect(stored?.['expiresAt']).toEqual(new Date(createdAt.getTime() + MAX_AGE_MS));
  });

  it('is 90 days where nothing else is set, and a refresh before them extends it by 30', async () => {
    const user = await registerUser(service);
    await began(user, new Date(Date.now() - MAX_AGE_MS / 2));
    expect((await refresh(user.tokens.refreshToken)).body.expiresIn).toBe(900);
    const stored = await sessions().findOne({ user: new ObjectId(user.id) });
    const remaining = (stored?.['expiresAt'] as Date).getTime() - Date.now();
    expect(remaining).toBeGreaterThan(MAX_AGE_MS / 3 - 60_000);
    expect(remaining).toBeLessThanOrEqual(MAX_AGE_MS / 3);
  });
});

describe('the sessions of a user', () => {
  it('are fifty at most, also with log-ins at once on several instances: the oldest end everywhere', async () => {
    const oldest = await registerUser(service);
    const user = new ObjectId(oldest.id);
    const createdAt = (await sessions().findOne({ user }))?.['createdAt'] as Date;
    const expiresAt = new Date(Date.now() + 3_600_000);
    await sessions().insertMany(
      Array.from({ length: MAX_SESSIONS - 1 }, (_, number) => {
        const began = new Date(createdAt.getTime() + 1 + number);
        return {
          user,
          seed: 'seed',
          generation: 0,
          createdAt: began,
          rotatedAt: began,
          expiresAt,
          userAgent: '',
          ip: '',
        };
      }),
    );
    const ids = async () => (await sessions().find({ user }).sort({ createdAt: 1 }).toArray()).map(({ _id }) => _id);
    const before = await ids();
    expect(before).toHaveLength(MAX_SESSIONS);

    const added = await Promise.all(
      Array.from({ length: 6 }, (_, number) => logIn(number % 2 ? other : service, oldest)),
    );
    const after = await ids();
    expect(after).toHaveLength(MAX_SESSIONS);
    expect(after.slice(0, MAX_SESSIONS - added.length)).toEqual(before.slice(added.length));
    expect((await refresh(oldest.tokens.refreshToken)).status).toBe(401);
    await waitFor('the end of the oldest session on both instances', async () => {
      const answers = await Promise.all([service, other].map((each) => oldest.api.at(each).get(ME)));
      return answers.every(({ status }) => status === 401);
    });
    for (const { api, tokens } of added) {
      expect((await api.at(other).get('/api/v1/tasks')).status).toBe(200);
      expect((await refresh(tokens.refreshToken, other)).status).toBe(200);
    }
  });

  it("don't count where they have expired, nor are those of others ended", async () => {
    const [user, stranger] = [await registerUser(service), await registerUser(service)];
    const now = Date.now();
    await sessions().insertMany(
      Array.from({ length: MAX_SESSIONS + 5 }, () => ({
        user: new ObjectId(user.id),
        seed: 'seed',
        generation: 0,
        createdAt: new Date(now - MAX_AGE_MS - 60_000),
        rotatedAt: new Date(now),
        expiresAt: new Date(now + 3_600_000),
        userAgent: '',
        ip: '',
      })),
    );
    await logIn(service, user);
    expect((await refresh(user.tokens.refreshToken)).status).toBe(200);
    expect((await refresh(stranger.tokens.refreshToken)).status).toBe(200);
  });
});
