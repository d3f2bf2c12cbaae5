import { createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import { ApiClient, type Problem } from '../support/api-client.js';
import { mailsTo, mailTo, tokenIn } from '../support/mail.js';
import { quickest } from '../support/quickest.js';
import { RawConnection } from '../support/raw-http.js';
import { startService, type TestService } from '../support/service.js';
import { logIn, newRegistration, registerUser, type Tokens } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const REGISTER = '/api/v1/auth/register';
const LOGIN = '/api/v1/auth/login';
const REFRESH = '/api/v1/auth/refresh';
const LOGOUT = '/api/v1/auth/logout';
const VERIFY = '/api/v1/auth/email/verify';
const ME = '/api/v1/users/me';

let service: TestService;
let second: TestService;
/** Tokens live a second there, and a refresh token works once without any grace. */
let impatient: TestService;
let anonymous: ApiClient;
beforeAll(async () => {
  service = await startService();
  [second, impatient] = await Promise.all([
    service.replica(),
    service.replica({ ACCESS_TOKEN_TTL_SECONDS: '1', REFRESH_REUSE_GRACE_SECONDS: '0' }),
  ]);
  anonymous = new ApiClient(service);
});

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
}

describe('registering', () => {
  it('answers 201 with the account and tokens that work', async () => {
    const registration = newRegistration({ name: 'Ada Lovelace' });
    const { status, body } = await anonymous.post<Tokens>(REGISTER, registration);
    expect(status).toBe(201);
    expect(body).toEqual({
      user: {
        id: expect.stringMatching(/^[0-9a-f]{24}$/) as string,
        name: 'Ada Lovelace',
        email: registration.email,
        role: 'user',
        emailVerified: false,
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      },
      tokenType: 'Bearer',
      accessToken: expect.any(String) as string,
      refreshToken: expect.any(String) as string,
      expiresIn: 900,
      deviceToken: expect.any(String) as string,
    });
    const me = await new ApiClient(service, body.accessToken).get(ME);
    expect(me.status).toBe(200);
  });

  it('refuses an address that is taken, compared without case', async () => {
    const { email } = await registerUser(service);
    const { status, body } = await anonymous.post<Problem>(REGISTER, newRegistration({ email: email.toUpperCase() }));
    expect([status, body.code]).toEqual([409, 'EMAIL_TAKEN']);
  });

  it('makes one account of all spellings of an address, and writes to the one that is stored', async () => {
    const [local = ''] = newRegistration().email.split('@');
    const stored = `${local}@xn--bcher-kva.example`;
    const domains = [
      'bücher.example',
      'BÜCHER.Example',
      'bu\u0308cher.example',
      'bü\u00adcher.example',
      'ⓑücher。example',
    ];
    const spellings = [...domains.map((domain) => `${local}@${domain}`), stored.toUpperCase()];
    const answers = await Promise.all(
      spellings.map((email) => anonymous.post<Tokens & Problem>(REGISTER, newRegistration({ email }))),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(5).fill(409)]);
    expect(answers.find(({ status }) => status === 201)?.body.user.email).toBe(stored);
    // The catcher names its files by the readable spelling.
    expect((await mailTo(`${local}@b_cher.example`)).to).toBe(stored);
    for (const email of spellings) {
      const { status, body } = await anonymous.post<Tokens>(LOGIN, { email, password: 'correct-horse-battery' });
      expect([status, body.user.email]).toEqual([200, stored]);
    }
  });

  it.each([
    '"ada"@example.org',
    'a\\da@example.org',
    'ada(x)@example.org',
    'a\u0001da@example.org',
    'a\u200bda@example.org',
  ])('refuses an address that is another spelling of a mailbox, or none, wherever one is taken: %j', async (email) => {
    const { api, password } = await registerUser(service);
    const answers = await Promise.all([
      anonymous.post<Problem>(REGISTER, newRegistration({ email })),
      anonymous.post<Problem>(LOGIN, { email, password }),
      anonymous.post<Problem>('/api/v1/auth/password/forgot', { email }),
      api.post<Problem>('/api/v1/auth/email/change', { email, password }),
    ]);
    for (const { status, body } of answers) {
      expect([status, body.errors?.map(({ field }) => field)]).toEqual([400, ['email']]);
    }
  });

  it('makes one account of ten registrations of the same address at once', async () => {
    const registration = newRegistration();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => anonymous.post<Problem>(REGISTER, registration)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(9).fill(409)]);
  });

  it.each([
    ['one of the commonest passwords', { password: 'password1234' }, 'password'],
    ['a password of nine characters', { password: 'k3-Zq!x7T' }, 'password'],
    ['a password of 129 characters', { password: 'k3-Zq!x7T'.repeat(15).slice(0, 129) }, 'password'],
    ['an address that is none', { email: 'ada' }, 'email'],
    ['an empty name', { name: '' }, 'name'],
    ['a name of 101 characters', { name: 'x'.repeat(101) }, 'name'],
  ])('refuses %s, naming the field', async (_, wrong, field) => {
    const { status, body } = await anonymous.post<Problem>(REGISTER, newRegistration(wrong));
    expect([status, body.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(body.errors?.map((error) => error.field)).toEqual([field]);
  });

  it('says of what is missing that it is, not what else it might be', async () => {
    const { body } = await anonymous.post<Problem>(REGISTER, { name: 'Ada', email: newRegistration().email });
    expect(body.errors).toEqual([{ field: 'password', message: 'must be a string' }]);
  });

  it('refuses the address as the password', async () => {
    const { email } = newRegistration();
    const { status, body } = await anonymous.post<Problem>(REGISTER, { name: 'Ada', email, password: email });
    expect([status, body.errors?.[0]?.field]).toEqual([400, 'password']);
  });
});

describe('logging in', () => {
  it('takes the address in any case', async () => {
    const user = await registerUser(service);
    const { status, body } = await anonymous.post<Tokens>(LOGIN, {
      email: user.email.toUpperCase(),
      password: user.password,
    });
    expect([status, body.user.id]).toEqual([200, user.id]);
  });

  it('gives the same answer for a wrong password and for an unknown address', async () => {
    const { email } = await registerUser(service);
    const answers = await Promise.all(
      [email, newRegistration().email].map((address) =>
        anonymous.post<Problem>(LOGIN, { email: address, password: 'not-the-password' }),
      ),
    );
    const comparable = answers.map(({ status, body }) => ({ ...body, status, requestId: '' }));
    expect(comparable[0]).toMatchObject({ status: 401, code: 'INVALID_CREDENTIALS' });
    expect(comparable[1]).toEqual(comparable[0]);
  });
});

describe('refreshing', () => {
  it('gives new tokens of the same session', async () => {
    const { tokens } = await registerUser(service);
    const { status, body } = await anonymous.post<Tokens>(REFRESH, { refreshToken: tokens.refreshToken });
    expect(status).toBe(200);
    expect(body.refreshToken).not.toBe(tokens.refreshToken);
    expect(body.user).toEqual(tokens.user);
    expect(claimsOf(body.accessToken)).toMatchObject({ sid: claimsOf(tokens.accessToken)['sid'] });
    expect((await anonymous.post(REFRESH, { refreshToken: body.refreshToken })).status).toBe(200);
  });

  it('gives fifty parallel refreshes of one token, across two instances, the same successor', async () => {
    const { tokens } = await registerUser(service);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        anonymous.at(index % 2 ? service : second).post<Tokens>(REFRESH, { refreshToken: tokens.refreshToken }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const successors = new Set(answers.map(({ body }) => body.refreshToken));
    expect(successors.size).toBe(1);
    expect((await anonymous.post(REFRESH, { refreshToken: [...successors][0] })).status).toBe(200);
  });

  it('ends the whole session when a token comes again after its successor was used', async () => {
    const { tokens, api } = await registerUser(service);
    const first = await anonymous.post<Tokens>(REFRESH, { refreshToken: tokens.refreshToken });
    const second = await anonymous.post<Tokens>(REFRESH, { refreshToken: first.body.refreshToken });
    const reuse = await anonymous.post<Problem>(REFRESH, { refreshToken: tokens.refreshToken });
    expect([reuse.status, reuse.body.code]).toEqual([401, 'REFRESH_TOKEN_REUSED']);
    const afterwards = await anonymous.post<Problem>(REFRESH, { refreshToken: second.body.refreshToken });
    expect([afterwards.status, afterwards.body.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect((await api.get(ME)).status).toBe(401);
  });

  it.each([
    ['made up', () => 'nonsense'],
    ['with a signature of another generation', (token: string) => token.replace(/\.0\./, '.1.')],
    ['of an unknown session', (token: string) => `${'0'.repeat(24)}${token.slice(24)}`],
    ['cut short', (token: string) => token.slice(0, -1)],
  ])('answers 401 UNAUTHENTICATED for a token that is %s', async (_, forge) => {
    const { tokens } = await registerUser(service);
    const { status, body } = await anonymous.post<Problem>(REFRESH, { refreshToken: forge(tokens.refreshToken) });
    expect([status, body.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect((await anonymous.post(REFRESH, { refreshToken: tokens.refreshToken })).status).toBe(200);
  });
});

describe('refreshing without a grace interval', () => {
  it('takes the second use of a token for theft and ends the session', async () => {
    const { tokens, api } = await registerUser(impatient);
    const client = new ApiClient(impatient);
    const first = await client.post<Tokens>(REFRESH, { refreshToken: tokens.refreshToken });
    // The grace is whole seconds and inclusive: the next millisecond is outside of it.
    const reuse = await client.post<Problem>(REFRESH, { refreshToken: tokens.refreshToken });
    expect([reuse.status, reuse.body.code]).toEqual([401, 'REFRESH_TOKEN_REUSED']);
    expect((await client.post(REFRESH, { refreshToken: first.body.refreshToken })).status).toBe(401);
    expect((await api.get(ME)).status).toBe(401);
  });

  it('keeps a session whose client gave up on a paused instance and went on with another one', async () => {
    const { tokens } = await registerUser(service);
    const body = JSON.stringify({ refreshToken: tokens.refreshToken });
    impatient.freeze();
    const abandoned = await RawConnection.open(impatient);
    const head = `POST ${REFRESH} HTTP/1.1\r\nHost: api\r\nContent-Type: application/json\r\n`;
    abandoned.send(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
    abandoned.close();
    const retried = await anonymous.post<Tokens>(REFRESH, { refreshToken: tokens.refreshToken });
    const next = await anonymous.post<Tokens>(REFRESH, { refreshToken: retried.body.refreshToken });
    expect([retried.status, next.status]).toEqual([200, 200]);
    impatient.thaw();
    await registerUser(impatient); // which came later and takes longer than the abandoned request
    expect((await anonymous.post(REFRESH, { refreshToken: next.body.refreshToken })).status).toBe(200);
  });
});

describe('logging out', () => {
  it('ends the access and refresh tokens of this session alone, on another instance within a second', async () => {
    const user = await registerUser(service);
    const elapsed = await quickest(1000, async () => {
      const { api, tokens } = await logIn(service, user);
      expect((await api.at(second).get(ME)).status).toBe(200);

      expect((await api.post(LOGOUT)).status).toBe(204);
      const loggedOutAt = Date.now();
      await waitFor('the access token to end', async () => (await api.at(second).get(ME)).status === 401);
      const elapsed = Date.now() - loggedOutAt;

      expect((await api.get(ME)).status).toBe(401);
      const refresh = await anonymous.at(second).post(REFRESH, { refreshToken: tokens.refreshToken });
      expect(refresh.status).toBe(401);
      return elapsed;
    });
    expect(elapsed).toBeLessThan(1000);
    expect((await user.api.at(second).get(ME)).status).toBe(200);
  });
});

describe('verifying the address', () => {
  it('mails a link at registration whose token works once', async () => {
    const user = await registerUser(service, { name: 'Mallory <b>' });
    const mail = await mailTo(user.email);
    expect(mail.subject).toBe('Confirm your email address');
    expect(mail.text + mail.html).not.toContain('Mallory');
    const token = tokenIn(mail);

    expect((await user.api.post(VERIFY, { token })).status).toBe(204);
    await waitFor('the profile to be verified', async () => {
      const { body } = await user.api.get<{ emailVerified: boolean }>(ME);
      return body.emailVerified;
    });
    expect((await logIn(service, user)).tokens.user.emailVerified).toBe(true);

    const again = await anonymous.post<Problem>(VERIFY, { token });
    expect([again.status, again.body.code]).toEqual([400, 'INVALID_TOKEN']);
  });

  it('mails the link again on request, and at most two in an hour', async () => {
    const user = await registerUser(service);
    for (let request = 0; request < 4; request++) {
      expect((await user.api.post('/api/v1/auth/email/resend')).status).toBe(202);
    }
    const mails = await waitFor('two mails', () => {
      const received = mailsTo(user.email);
      return received.length >= 2 && received;
    });
    expect(new Set(mails.map(tokenIn)).size).toBe(2);
    // The sender is idle once its last mail is out: a third would have been made before the fourth answer.
    const marker = await registerUser(service);
    await mailTo(marker.email);
    expect(mailsTo(user.email)).toHaveLength(2);
  });

  it('refuses a token that was never mailed', async () => {
    const { status, body } = await anonymous.post<Problem>(VERIFY, { token: 'x'.repeat(43) });
    expect([status, body.code]).toEqual([400, 'INVALID_TOKEN']);
  });
});

describe('the access token', () => {
  it('verifies with the published keys and plain cryptography', async () => {
    const { tokens, id } = await registerUser(service);
    const { body } = await anonymous.get<{ keys: (JsonWebKey & { kid: string; alg: string; use: string })[] }>(
      '/.well-known/jwks.json',
    );
    const [head = '', payload = '', signature = ''] = tokens.accessToken.split('.');
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as { kid: string; alg: string };
    const jwk = body.keys.find(({ kid }) => kid === header.kid);
    expect(jwk).toMatchObject({ alg: header.alg, use: 'sig', kty: 'EC' });
    expect(jwk).not.toHaveProperty('d');
    const genuine = verify(
      'sha256',
      Buffer.from(`${head}.${payload}`),
      { key: createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    );
    expect(genuine).toBe(true);
    const claims = claimsOf(tokens.accessToken) as Record<string, number>;
    expect(claims).toMatchObject({ sub: id, role: 'user', iss: 'scalable-api', aud: 'scalable-api' });
    expect(claims).toHaveProperty('sid');
    expect((claims['exp'] as number) - (claims['iat'] as number)).toBe(900);
  });

  it.each([
    ['no header', undefined],
    ['another scheme', 'Basic YTpi'],
    ['nonsense', 'Bearer nonsense'],
    ['an unsigned token', `Bearer ${base64({ alg: 'none' })}.${base64({ sub: '0'.repeat(24) })}.`],
    ['three dots', 'Bearer ...'],
  ])('is required: %s is answered 401', async (_, authorization) => {
    const headers: Record<string, string> = authorization === undefined ? {} : { Authorization: authorization };
    const { status, body, headers: received } = await anonymous.get<Problem>(ME, headers);
    expect([status, body.code]).toEqual([401, 'UNAUTHENTICATED']);
    const isBearer = authorization?.startsWith('Bearer') === true;
    expect(received.get('www-authenticate')).toBe(
      `Bearer realm="scalable-api"${isBearer ? ', error="invalid_token"' : ''}`,
    );
  });

  it('is refused once a claim was changed', async () => {
    const { tokens } = await registerUser(service);
    const [head, payload, signature] = tokens.accessToken.split('.');
    const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()) as object;
    const forged = [head, base64({ ...claims, role: 'admin' }), signature].join('.');
    expect((await new ApiClient(service, forged).get(ME)).status).toBe(401);
  });

  it('is answered TOKEN_EXPIRED after its time, and its session can be refreshed', async () => {
    const { api, tokens } = await registerUser(impatient);
    const { body } = await waitFor('the token to expire', async () => {
      const answer = await api.get<Problem>(ME);
      return answer.status === 401 && answer;
    });
    expect(body.code).toBe('TOKEN_EXPIRED');
    expect((await new ApiClient(impatient).post(REFRESH, { refreshToken: tokens.refreshToken })).status).toBe(200);
  });
});

function base64(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
