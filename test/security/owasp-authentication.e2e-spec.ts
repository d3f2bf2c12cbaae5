import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { ApiClient, type Problem } from '../support/api-client.js';
import { mailsTo, mailTo } from '../support/mail.js';
import { startService, type TestService } from '../support/service.js';
import {
  createApiKey,
  logIn,
  newEmail,
  newRegistration,
  registerUser,
  registerVerifiedUser,
  type TestUser,
  type Tokens,
} from '../support/users.js';
import { waitFor } from '../support/wait-for.js';
import { Contract } from './support/contract.js';
import { atOnce, outcomeOf, tally } from './support/requests.js';

/** OWASP API Security Top 10 (2023), the lines about who somebody is and what costs others something. */

const AUTH = '/api/v1/auth';
const ME = '/api/v1/users/me';
const UNAUTHENTICATED = [401, 'UNAUTHENTICATED'];

let service: TestService;
let anonymous: ApiClient;
let user: TestUser;
beforeAll(async () => {
  service = await startService({ LOGIN_ADDRESS_FAILURES: '30', TRUST_PROXY: '1', MAX_EVENT_LOOP_LAG_MS: '60000' });
  anonymous = new ApiClient(service);
  user = await registerVerifiedUser(service);
});

type Json = Record<string, unknown>;

function encode(part: Json): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function decode(part = ''): Json {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as Json;
}

/** ES256 (RFC 7518, 3.4). */
function es256(signed: string, key: KeyObject): string {
  return sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
}

describe('API2:2023 Broken Authentication', () => {
  let header: Json;
  let claims: Json;
  let key: KeyObject;
  beforeAll(() => {
    const [first, second] = user.tokens.accessToken.split('.');
    [header, claims] = [decode(first), decode(second)];
    key = createPrivateKey(service.environment['JWT_PRIVATE_KEYS'] as string);
  });

  function forge(changes: { header?: Json; claims?: Json }, signWith = (text: string) => es256(text, key)): string {
    const text = `${encode({ ...header, ...changes.header })}.${encode({ ...claims, ...changes.claims })}`;
    return `${text}.${signWith(text)}`;
  }
  const ask = (token: string, path = ME) => outcomeOf(new ApiClient(service, token).get(path));
  const now = () => Math.floor(Date.now() / 1000);

  it('takes a token that is made as the service makes them, so what follows is refused for its own fault', async () => {
    expect(await ask(forge({}))).toEqual([200, undefined]);
  });

  it.each<[string, () => string]>([
    ['without a signature (alg none)', () => forge({ header: { alg: 'none' } }, () => '')],
    ['that says alg none and keeps its signature', () => forge({ header: { alg: 'nOnE' } })],
    ['signed by HS256 with the public key as PEM', () => forge({ header: { alg: 'HS256' } }, byPublicKey('pem'))],
    ['signed by HS256 with the public key as DER', () => forge({ header: { alg: 'HS256' } }, byPublicKey('der'))],
    ['of a key that is unknown', () => forge({ header: { kid: 'another' } })],
    ['that names no key', () => forge({ header: { kid: undefined } })],
    ['whose key is a file', () => forge({ header: { kid: '../../../../dev/null' } })],
    ['whose key is a member that every object has', () => forge({ header: { kid: '__proto__' } })],
    ['signed with a key of its own under our key id', () => forge({}, byStranger)],
    [
      'that brings its own key along',
      () => forge({ header: { jwk: stranger.publicKey.export({ format: 'jwk' }) } }, byStranger),
    ],
    ['whose signature is all zeros', () => forge({}, () => Buffer.alloc(64).toString('base64url'))],
    ['whose signature is empty', () => forge({}, () => '')],
    ['whose claims were changed after signing', () => changedAfterwards({ role: 'admin' })],
    ['of another issuer', () => forge({ claims: { iss: 'https://elsewhere.example.org' } })],
    ['of no issuer', () => forge({ claims: { iss: undefined } })],
    ['for another audience', () => forge({ claims: { aud: 'another-service' } })],
    ['for no audience', () => forge({ claims: { aud: undefined } })],
    ['that is not valid yet', () => forge({ claims: { nbf: now() + 600 } })],
    [
      'with critical extensions that nobody knows',
      () => forge({ header: { crit: ['b64'], b64: false } }, () => 'AAAA'),
    ],
  ])('refuses an access token %s', async (_, make) => {
    expect(await ask(make())).toEqual(UNAUTHENTICATED);
  });

  it('refuses an access token that has expired, and says so', async () => {
    expect(await ask(forge({ claims: { exp: now() - 1 } }))).toEqual([401, 'TOKEN_EXPIRED']);
  });

  const stranger = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  function byStranger(text: string): string {
    return es256(text, stranger.privateKey);
  }

  function byPublicKey(format: 'pem' | 'der') {
    return (text: string) => {
      const secret = createPublicKey(key).export({ type: 'spki', format: format as 'pem' });
      return createHmac('sha256', secret).update(text).digest('base64url');
    };
  }

  function changedAfterwards(changes: Json): string {
    const [first, , signature] = user.tokens.accessToken.split('.');
    return [first, encode({ ...claims, ...changes }), signature].join('.');
  }

  it('refuses what is a token of another kind', async () => {
    const { accessToken, refreshToken } = user.tokens;
    expect(await ask(refreshToken)).toEqual(UNAUTHENTICATED);
    for (const path of ['/refresh', '/email/verify', '/password/reset', '/login/mfa']) {
      const password = path === '/password/reset' ? { password: 'another-horse-battery' } : {};
      const field = { '/refresh': 'refreshToken', '/login/mfa': 'mfaToken' }[path] ?? 'token';
      const code = path === '/login/mfa' ? { code: '123456' } : {};
      for (const token of [refreshToken.replace(/\.\d+\./, '.1.'), accessToken.slice(-100)]) {
        const [status] = await outcomeOf(anonymous.post(`${AUTH}${path}`, { [field]: token, ...password, ...code }));
        expect([400, 401]).toContain(status);
      }
    }
  });

  it('refuses the tokens of a session that was ended', async () => {
    const { api, tokens } = await logIn(service, user);
    await api.post(`${AUTH}/logout`);
    expect(await ask(tokens.accessToken)).toEqual(UNAUTHENTICATED);
    const refreshed = anonymous.post(`${AUTH}/refresh`, { refreshToken: tokens.refreshToken });
    expect(await outcomeOf(refreshed)).toEqual(UNAUTHENTICATED);
  });

  it('refuses API keys that were changed, and all of them at every route under /auth', async () => {
    const scopes = ['users:write', 'notifications:write'];
    const body = await createApiKey(user, scopes);
    expect(await ask(body.key)).toEqual([200, undefined]);
    for (const changed of [`${body.key}A`, body.key.slice(0, -1), body.key.replace(/_.{24}_/, `_${user.id}_`)]) {
      expect(await ask(changed)).toEqual(UNAUTHENTICATED);
    }
    const routes = (await Contract.of(service)).operations.filter(
      ({ path, isPublic }) => path.startsWith(AUTH) && !isPublic,
    );
    for (const { method, path } of routes) {
      const answer = new ApiClient(service, body.key).send(method.toUpperCase(), path.replace(/\{\w+\}/g, user.id));
      expect([path, ...(await outcomeOf(answer))]).toEqual([path, 403, 'FORBIDDEN']);
    }
  });

  it.each<[string, number, (number: number) => string]>([
    ['ten failures from one network', 10, () => '198.51.100.1'],
    ['thirty failures from many networks', 30, (number) => `198.51.101.${number}`],
  ])('ends the guessing at one account after %s, known or not, right password or not', async (_, limit, addressOf) => {
    const known = await registerUser(service);
    for (const email of [known.email, newEmail()]) {
      const guess = (password: string, number: number) =>
        anonymous.post<Problem>(`${AUTH}/login`, { email, password }, { 'X-Forwarded-For': addressOf(number) });
      const answers = await atOnce(limit + 5, (number) => guess(`wrong-horse-${number}`, number));
      expect(tally(answers)).toEqual({ 401: limit, 423: 5 });
      expect(await outcomeOf(guess(known.password, 99))).toEqual([423, 'ACCOUNT_LOCKED']);
    }
  });

  it('ends the stuffing of leaked credentials from one address, whatever accounts they are of', async () => {
    const stuff = (address: string) =>
      anonymous.post(
        `${AUTH}/login`,
        { email: newEmail(), password: 'leaked-horse-battery' },
        { 'X-Forwarded-For': address },
      );
    expect(tally(await atOnce(40, () => stuff('192.0.2.1')))).toEqual({ 401: 30, 429: 10 });
    expect((await stuff('192.0.2.2')).status).toBe(401);
  });
});

describe('API6:2023 Unrestricted Access to Sensitive Business Flows', () => {
  /** Waits for mails that were asked for after all others: one too many would have gone out by then. */
  async function mailsAreSent(): Promise<void> {
    const { api, email } = await registerUser(service);
    await mailTo(email);
    await api.post(`${AUTH}/email/resend`);
    await anonymous.post(`${AUTH}/password/forgot`, { email });
    await waitFor('the mails', () => mailsTo(email).length === 3);
  }

  it('mails at most three links an hour to an address, of whatever kind, however many are asked for at once', async () => {
    const { api, email } = await registerUser(service);
    await atOnce(12, (number) =>
      number % 2 ? api.post(`${AUTH}/email/resend`) : anonymous.post(`${AUTH}/password/forgot`, { email }),
    );
    await waitFor('three mails', () => mailsTo(email).length >= 3);
    await mailsAreSent();
    expect(mailsTo(email)).toHaveLength(3);
  });

  it('keeps a mail for a password reset, however many verifications somebody else asks for', async () => {
    const { api, email } = await registerUser(service);
    expect(tally(await atOnce(12, () => api.post(`${AUTH}/email/resend`)))).toEqual({ 202: 12 });
    await anonymous.post(`${AUTH}/password/forgot`, { email });
    await mailTo(email, ({ text }) => text.includes('/reset-password#'));
    await mailsAreSent();
    expect(mailsTo(email)).toHaveLength(3);
  });

  it('mails at most two verifications an hour to an address that is registered, deleted and registered again', async () => {
    const registration = newRegistration();
    for (let time = 0; time < 5; time++) {
      const { body } = await anonymous.post<Tokens>(`${AUTH}/register`, registration);
      if (time < 2) await waitFor('the mail', () => mailsTo(registration.email).length === time + 1);
      const { password } = registration;
      expect(await new ApiClient(service, body.accessToken).send('DELETE', ME, { password })).toMatchObject({
        status: 204,
      });
    }
    await mailsAreSent();
    expect(mailsTo(registration.email)).toHaveLength(2);
  });

  it('lets nobody use a change of address to write to strangers', async () => {
    const { api, password } = await registerUser(service);
    const strangers = Array.from({ length: 8 }, newEmail);
    for (const email of strangers)
      expect((await api.post(`${AUTH}/email/change`, { email, password })).status).toBe(202);
    await waitFor('three mails', () => strangers.filter((email) => mailsTo(email).length > 0).length >= 3);
    await mailsAreSent();
    expect(strangers.filter((email) => mailsTo(email).length > 0)).toHaveLength(3);
  });

  it('reveals neither at the log-in nor at a forgotten password whether an address is known', async () => {
    const { email } = await registerUser(service);
    const answersTo = async (address: string) => {
      const wrong = { email: address, password: 'not-the-password' };
      const login = await anonymous.post<Problem>(`${AUTH}/login`, wrong, { 'X-Forwarded-For': '192.0.2.9' });
      const forgot = await anonymous.post(`${AUTH}/password/forgot`, { email: address });
      const names = [login, forgot].map(({ headers }) => [...headers.keys()].sort());
      return {
        status: [login.status, forgot.status],
        login: { ...login.body, requestId: '' },
        forgot: forgot.body,
        names,
      };
    };
    expect(await answersTo(email)).toEqual(await answersTo(newEmail()));
  });
});
