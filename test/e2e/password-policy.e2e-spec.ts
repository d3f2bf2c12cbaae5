import { createHash } from 'node:crypto';
import { ApiClient, type Problem } from '../support/api-client.js';
import { type StandIn, startStandIn } from '../support/http-stand-in.js';
import { mailTo, tokenIn } from '../support/mail.js';
import { runCli, startService, type TestService } from '../support/service.js';
import { newEmail, newRegistration, registerUser, type TestUser } from '../support/users.js';

const AUTH = '/api/v1/auth';
const NAME = 'Ada Lovelace';

let service: TestService;
let anonymous: ApiClient;
beforeAll(async () => {
  service = await startService();
  anonymous = new ApiClient(service);
});

async function resetToken({ email }: Pick<TestUser, 'email'>): Promise<string> {
  await anonymous.post(`${AUTH}/password/forgot`, { email });
  return tokenIn(await mailTo(email, ({ text }) => text.includes('/reset-password#')));
}

const PATTERN = 'must not consist of repetitions or sequences';
const COMMON = 'must not be one of the commonest passwords';
const OF_SERVICE = "must not be derived from this service's name";
const OF_OWNER = 'must not be derived from your name or email address';

/** It names the field, and says what to do. */
function refusal(field: string, message: string) {
  const said = expect.stringMatching(new RegExp(`^${message}.*several words`)) as string;
  return { status: 400, body: { code: 'VALIDATION_FAILED', errors: [{ field, message: said }] } };
}

describe('a weak password', () => {
  it.each([
    ['aaaaaaaaaa', PATTERN],
    ['1111111111', PATTERN],
    ['          ', PATTERN],
    ['abcdefghijk', PATTERN],
    ['Password123!', COMMON],
    ['changeme123', COMMON],
    ['scalable-api', OF_SERVICE],
    ['Scalable API 2026', OF_SERVICE],
    ['lovelace1815', OF_OWNER],
  ])('is refused at the registration: %j', async (password, message) => {
    const answer = await anonymous.post(`${AUTH}/register`, newRegistration({ name: NAME, password }));
    expect(answer).toMatchObject(refusal('password', message));
  });

  it.each([
    ['1234567890', PATTERN],
    ['Password123!', COMMON],
    ['lovelace1815', OF_OWNER],
  ])('is refused by a change, a reset and create-admin: %j', async (password, message) => {
    const user = await registerUser(service, { name: NAME });
    const change = { currentPassword: user.password, newPassword: password };
    expect(await user.api.post(`${AUTH}/password/change`, change)).toMatchObject(refusal('newPassword', message));

    const token = await resetToken(user);
    const reset = (given: string) => anonymous.post(`${AUTH}/password/reset`, { token, password: given });
    expect(await reset(password)).toMatchObject(refusal('password', message));
    // The token is still good.
    expect((await reset('another-horse-battery')).status).toBe(204);

    const args = ['create-admin', '--name', NAME, '--email', newEmail()];
    const { code, output } = await runCli(service, args, { ADMIN_PASSWORD: password });
    expect([code, output]).toEqual([2, expect.stringContaining(`password: ${message}`)]);
  });

  it('is the address, or a part of it with a few digits', async () => {
    const email = newEmail().replace('@example.org', '@charmingdomain.org');
    for (const password of [email, email.toUpperCase(), 'charmingdomain99!']) {
      const answer = await anonymous.post(`${AUTH}/register`, newRegistration({ email, password }));
      expect(answer).toMatchObject(refusal('password', OF_OWNER));
    }
  });
});

describe('the look-up of leaked passwords', () => {
  const LEAKED = 'leaked-horse-battery';
  const PADDED = 'padded-horse-battery';
  let collection: StandIn;
  let answer: 'ranges' | 'nothing' | 'error' = 'ranges';
  let looking: TestService;

  beforeAll(async () => {
    const suffixOf = (password: string) => sha1Of(password).slice(5);
    collection = await startStandIn(() => {
      if (answer === 'nothing') return null;
      if (answer === 'error') return { status: 500, body: `${suffixOf(LEAKED)}:7` };
      const lines = ['0018A45C4D1DEF81644B54AB7F969B88D65:1', `${suffixOf(LEAKED)}:7`, `${suffixOf(PADDED)}:0`];
      return { status: 200, body: lines.join('\r\n') };
    });
    looking = await service.replica({ PWNED_PASSWORDS_URL: `${collection.url}/range/` });
  });
  afterAll(async () => {
    await looking.stop();
    await collection.close();
  });
  beforeEach(() => {
    answer = 'ranges';
  });

  const register = (password: string) =>
    new ApiClient(looking).post<Problem>(`${AUTH}/register`, newRegistration({ password }));

  it('refuses one that was leaked, and tells the collection five digits of its hash only', async () => {
    expect(await register(LEAKED)).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'password', message: expect.stringContaining('has been leaked') as string }] },
    });
    const { method, path, headers, body } = collection.received.at(-1) ?? {};
    expect([method, path, body]).toEqual(['GET', `/range/${sha1Of(LEAKED).slice(0, 5)}`, '']);
    expect(headers).toMatchObject({ 'add-padding': 'true' });
    expect(JSON.stringify(headers)).not.toContain(sha1Of(LEAKED).slice(5));
  });

  it('takes the entries that pad the answer for what they are', async () => {
    expect((await register(PADDED)).status).toBe(201);
  });

  it.each(['error', 'nothing'] as const)('lets a password pass where the collection answers: %s', async (state) => {
    answer = state;
    expect((await register(LEAKED)).status).toBe(201);
    const warning = looking.logLines().findLast(({ msg }) => String(msg).includes('could not be looked up'));
    expect(warning).toBeDefined();
    expect(JSON.stringify(warning)).not.toMatch(new RegExp(`${LEAKED}|${sha1Of(LEAKED).slice(0, 5)}`, 'i'));
  });

  it('is off by default', async () => {
    const before = collection.received.length;
    await registerUser(service, { password: LEAKED });
    expect(collection.received).toHaveLength(before);
  });
});

function sha1Of(text: string): string {
  return createHash('sha1').update(text).digest('hex').toUpperCase();
}
