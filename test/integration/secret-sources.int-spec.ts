import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ConfigurationError } from '../../src/config/environment.js';
import { loadSecrets, withSecrets } from '../../src/config/load-environment.js';
import { makeAuthority } from '../support/certificates.js';
import { type Received, type Reply, type StandIn, startStandIn } from '../support/http-stand-in.js';

const PATIENCE = { timeoutMs: 300, attempts: 3, pauseMs: 5 };
const SECRETS = { APP_SECRETS: 'kept-elsewhere', JWT_PRIVATE_KEYS: '-----BEGIN\nPEM-----' };

let server: StandIn;
let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'secrets-'))));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => server?.close());

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** The sentence the boot would end with. */
async function failureOf(source: NodeJS.ProcessEnv): Promise<string> {
  const error: unknown = await loadSecrets(source, PATIENCE).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ConfigurationError);
  expect((error as Error).message).not.toMatch(/s\.token|kept-elsewhere|SECRETKEY/);
  return (error as Error).message;
}

describe('environment', () => {
  it('has nothing to add where the environment holds the secrets', async () => {
    expect(await loadSecrets({})).toEqual({});
  });

  it('refuses a source it does not know', async () => {
    expect(await failureOf({ SECRETS_SOURCE: 'drawer' })).toBe(
      'SECRETS_SOURCE must be env, vault or aws-secrets-manager.',
    );
  });
});

describe('Vault', () => {
  const version = (data: unknown): Reply => ({
    status: 200,
    body: JSON.stringify({ request_id: 'r', data: { data, metadata: { version: 3, destroyed: false } } }),
  });
  const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
    SECRETS_SOURCE: 'vault',
    VAULT_ADDR: server.url,
    VAULT_TOKEN: 's.token',
    VAULT_SECRET_PATH: 'secret/data/scalable-api',
    ...more,
  });

  it('gives the newest version of a KV version 2 secret', async () => {
    server = await startStandIn(() => version({ ...SECRETS, PORT: 80, CACHE_ENABLED: true }));
    const secrets = await loadSecrets(environment({ VAULT_NAMESPACE: 'team/a' }), PATIENCE);
    expect(secrets).toEqual({ ...SECRETS, PORT: '80', CACHE_ENABLED: 'true' });
    const [{ method, path, headers }] = server.received as [Received];
    expect([method, path]).toEqual(['GET', '/v1/secret/data/scalable-api']);
    expect(headers).toMatchObject({
      'x-vault-token': 's.token',
      'x-vault-namespace': 'team/a',
      'x-vault-request': 'true',
    });
  });

  it('lies beneath the environment and its files, and names no files itself', async () => {
    server = await startStandIn(() => version({ ...SECRETS, SMTP_URL: 'theirs', PUBLIC_URL_FILE: '/etc/passwd' }));
    const source = environment({
      APP_SECRETS: 'mine',
      JWT_PRIVATE_KEYS_FILE: file('jwt', 'mine, in a file'),
      VAULT_TOKEN: '',
      VAULT_TOKEN_FILE: file('token', 's.token\n'),
    });
    const merged = await withSecrets(source, PATIENCE);
    expect(merged).toMatchObject({ APP_SECRETS: 'mine', SMTP_URL: 'theirs' });
    expect(merged).not.toHaveProperty('JWT_PRIVATE_KEYS');
    expect(merged).not.toHaveProperty('PUBLIC_URL_FILE');
    expect(server.received[0]?.headers['x-vault-token']).toBe('s.token');
  });

  it("logs in with the pod's service account", async () => {
    server = await startStandIn(({ path }) =>
      path === '/v1/auth/kubernetes/login'
        ? { status: 200, body: JSON.stringify({ auth: { client_token: 's.pod' } }) }
        : version(SECRETS),
    );
    const source = environment({ VAULT_TOKEN: '', VAULT_ROLE: 'api', VAULT_JWT_FILE: file('jwt-of-pod', 'a.b.c') });
    expect(await loadSecrets(source, PATIENCE)).toEqual(SECRETS);
    const [login, read] = server.received as [Received, Received];
    expect([login.method, JSON.parse(login.body)]).toEqual(['POST', { role: 'api', jwt: 'a.b.c' }]);
    expect(read.headers['x-vault-token']).toBe('s.pod');
  });

  it('says which variable is wrong when the login fails', async () => {
    server = await startStandIn(() => ({ status: 403, body: '{"errors":["permission denied"]}' }));
    const pod = { VAULT_TOKEN: '', VAULT_ROLE: 'api' };
    expect(await failureOf(environment({ ...pod, VAULT_JWT: 'a.b.c' }))).toMatch(/login \(403\): check VAULT_ROLE/);
    expect(await failureOf(environment(pod))).toMatch(/^VAULT_JWT is missing/);
  });

  it.each<[string, NodeJS.ProcessEnv, RegExp]>([
    ['no address', { VAULT_ADDR: '' }, /^VAULT_ADDR is missing: it must be Vault's/],
    ['no token', { VAULT_TOKEN: '' }, /^VAULT_TOKEN is missing/],
    ['no path', { VAULT_SECRET_PATH: '' }, /^VAULT_SECRET_PATH is missing/],
    ['a path of version 1', { VAULT_SECRET_PATH: 'secret/scalable-api' }, /^VAULT_SECRET_PATH must be .*data\//],
    ['a token of two lines', { VAULT_TOKEN: 's.token\r\nx-other: 1' }, /^VAULT_TOKEN must/],
  ])('asks nobody with %s', async (_, wrong, sentence) => {
    server = await startStandIn(() => version(SECRETS));
    expect(await failureOf(environment(wrong))).toMatch(sentence);
    expect(server.received).toEqual([]);
  });

  it.each<[string, Reply, RegExp, number]>([
    ['a refused token', { status: 403, body: '{}' }, /^Vault refuses VAULT_TOKEN: .*expired/, 1],
    ['a path that leads nowhere', { status: 404, body: '{"errors":[]}' }, /^VAULT_SECRET_PATH leads to nothing/, 1],
    [
      'a secret of version 1',
      { status: 200, body: '{"data":{"A":"kept-elsewhere"}}' },
      /^VAULT_SECRET_PATH leads to no set/,
      1,
    ],
    ['a value that is no text', version({ APP_SECRETS: ['kept-elsewhere'] }), /^APP_SECRETS, .* must be text/, 1],
    [
      'something else than JSON',
      { status: 200, body: '<html>kept-elsewhere' },
      /^VAULT_SECRET_PATH leads to no set/,
      1,
    ],
    [
      'a redirect elsewhere',
      { status: 302, headers: { location: '/login' } },
      /^Vault answers 302.*check VAULT_ADDR/,
      1,
    ],
    ['a sealed Vault', { status: 503, body: '{"sealed":true}' }, /^Vault answers 503: .*unsealed/, 3],
    ['no answer in time', null, /^Vault doesn't answer within 0.3 s: check VAULT_ADDR/, 3],
  ])('says what to do about %s', async (_, reply, sentence, asked) => {
    server = await startStandIn(() => reply);
    expect(await failureOf(environment())).toMatch(sentence);
    expect(server.received).toHaveLength(asked);
  });

  it('asks again after a passing failure', async () => {
    server = await startStandIn((_, count) => (count < 3 ? { status: count === 1 ? 500 : 429 } : version(SECRETS)));
    expect(await loadSecrets(environment(), PATIENCE)).toEqual(SECRETS);
  });

  it('follows a standby to the active server, once', async () => {
    server = await startStandIn(({ path }) =>
      path.endsWith('?active') ? version(SECRETS) : { status: 307, headers: { location: `${path}?active` } },
    );
    expect(await loadSecrets(environment(), PATIENCE)).toEqual(SECRETS);
    await server.close();
    server = await startStandIn(({ path }) => ({ status: 307, headers: { location: path } }));
    expect(await failureOf(environment())).toMatch(/^Vault answers 307/);
    expect(server.received).toHaveLength(2);
  });

  it('trusts the authority of VAULT_CACERT, and nobody else', async () => {
    const [ours, another] = [makeAuthority('Ours'), makeAuthority('Another')];
    try {
      server = await startStandIn(() => version(SECRETS), ours.issue('vault'));
      expect(await loadSecrets(environment({ VAULT_CACERT: ours.certFile }), PATIENCE)).toEqual(SECRETS);
      expect(await loadSecrets(environment({ VAULT_CACERT_FILE: ours.certFile }), PATIENCE)).toEqual(SECRETS);
      const untrusted = /^Vault's certificate isn't trusted \([A-Z_]+\): check VAULT_CACERT/;
      expect(await failureOf(environment({ VAULT_CACERT: another.certFile }))).toMatch(untrusted);
      expect(await failureOf(environment())).toMatch(untrusted);
      expect(await failureOf(environment({ VAULT_CACERT: '/nowhere' }))).toMatch(/^VAULT_CACERT names a file/);
    } finally {
      ours.remove();
      another.remove();
    }
  });

  it('ends the boot with that sentence and nothing else', async () => {
    server = await startStandIn(() => null);
    await server.close();
    const boot = spawn(process.execPath, ['dist/main.js'], { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    const [output, errors, exit] = await Promise.all([text(boot.stdout), text(boot.stderr), once(boot, 'exit')]);
    expect(exit[0]).toBe(1);
    expect(output).toBe('');
    expect(errors).toBe("Vault can't be reached (ECONNREFUSED): check VAULT_ADDR, and that Vault runs.\n");
  });
});

describe('AWS Secrets Manager', () => {
  const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'SECRETKEY' };
  const before = { ...process.env };
  const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
    SECRETS_SOURCE: 'aws-secrets-manager',
    AWS_SECRET_ID: 'production/scalable-api',
    AWS_REGION: 'eu-central-1',
    ...more,
  });
  const refusal = (type: string, status = 400): Reply => ({
    status,
    body: JSON.stringify({ __type: type, Message: 'kept-elsewhere' }),
    headers: { 'content-type': 'application/x-amz-json-1.1' },
  });
  const holds = (SecretString: string): Reply => ({ status: 200, body: JSON.stringify({ Name: 'n', SecretString }) });

  /** Where the SDK finds its credentials and the address is its own affair: the process's environment. */
  async function start(reply: (request: Received, count: number) => Reply, credentials = true): Promise<void> {
    server = await startStandIn(reply);
    Object.assign(process.env, {
      AWS_ENDPOINT_URL_SECRETS_MANAGER: server.url,
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
      ...(credentials ? CREDENTIALS : {}),
    });
  }
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  });

  it('gives the keys of a JSON secret, by a signed request', async () => {
    await start(() => holds(JSON.stringify(SECRETS)));
    expect(await loadSecrets(environment(), PATIENCE)).toEqual(SECRETS);
    const [{ method, headers, body }] = server.received as [Received];
    expect([method, JSON.parse(body)]).toEqual(['POST', { SecretId: 'production/scalable-api' }]);
    expect(headers['x-amz-target']).toBe('secretsmanager.GetSecretValue');
    expect(headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/secretsmanager\/aws4_request, SignedHeaders=\S+, Signature=[0-9a-f]{64}$/,
    );
  });

  it.each<[string, Reply, RegExp]>([
    ['no such secret', refusal('ResourceNotFoundException'), /no such secret: check AWS_SECRET_ID and AWS_REGION/],
    ['no permission', refusal('AccessDeniedException'), /may not call secretsmanager:GetSecretValue for AWS_SECRET_ID/],
    ['wrong credentials', refusal('UnrecognizedClientException'), /credentials are not valid: check AWS_ACCESS_KEY_ID/],
    ['a secret that is no JSON', holds('kept-elsewhere'), /^AWS_SECRET_ID leads to no set of keys and values/],
    ['an unreadable answer', { status: 200, body: '<html>' }, /^AWS Secrets Manager gives no secret .*AWS_REGION/],
    [
      'no answer in time',
      null,
      /^AWS Secrets Manager gives no secret \(TimeoutError\): there is no answer in time: check/,
    ],
  ])('says what to do about %s', async (_, reply, sentence) => {
    await start(() => reply);
    expect(await failureOf(environment())).toMatch(sentence);
  });

  it('says so when there are no credentials anywhere', async () => {
    await start(() => holds('{}'), false);
    expect(await failureOf(environment())).toMatch(/there are no credentials: .*AWS_ACCESS_KEY_ID/);
    expect(server.received).toEqual([]);
  });

  it('asks again after a passing failure', async () => {
    await start((_, count) => (count < 3 ? refusal('InternalServiceError', 500) : holds(JSON.stringify(SECRETS))));
    expect(await loadSecrets(environment(), PATIENCE)).toEqual(SECRETS);
    expect(server.received).toHaveLength(3);
  });

  it('needs a region and a name', async () => {
    await start(() => holds('{}'));
    const sentences = await failureOf(environment({ AWS_REGION: '', AWS_SECRET_ID: '' }));
    expect(sentences).toMatch(/^AWS_SECRET_ID is missing: .*\.\nAWS_REGION is missing: .*\.$/);
  });
});
