import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import webPush from 'web-push';
import { MODULES } from '../contracts/modules.js';
import { AREAS, ConfigurationError, ENVIRONMENT_NAMES, readEnvironment } from './environment.js';
import { SecretSource } from './secrets/secret-source.js';

function newPem(namedCurve = 'prime256v1'): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve });
  return String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
}

function newVapidKeys(): { VAPID_PUBLIC_KEY: string; VAPID_PRIVATE_KEY: string } {
  const { publicKey, privateKey } = webPush.generateVAPIDKeys();
  return { VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey };
}

const SECRET = randomBytes(48).toString('base64');
const PEM = newPem();
const REQUIRED = {
  PUBLIC_URL: 'https://api.test.org',
  MONGODB_URI: 'mongodb://localhost/api',
  REDIS_URL: 'redis://localhost',
  SMTP_URL: 'smtp://localhost',
  MAIL_FROM: 'Scalable API <no-reply@test.org>',
  APP_SECRETS: SECRET,
  JWT_PRIVATE_KEYS: PEM,
  STORAGE_PATH: '/srv/files',
};

function messageFor(variables: Record<string, string | undefined>): string {
  try {
    readEnvironment({ ...REQUIRED, ...variables });
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
  return '';
}

describe('readEnvironment', () => {
  it('has a default for all that is not required', () => {
    expect(readEnvironment(REQUIRED)).toMatchObject({
      NODE_ENV: 'production',
      PORT: 5000,
      METRICS_PORT: 9464,
      WORKERS: 1,
      MONGODB_MAX_POOL_SIZE: 50,
      MONGODB_MIN_POOL_SIZE: 10,
      ACCESS_TOKEN_TTL_SECONDS: 900,
      REFRESH_TOKEN_TTL_SECONDS: 2_592_000,
      SESSION_MAX_AGE_SECONDS: 7_776_000,
      REFRESH_REUSE_GRACE_SECONDS: 10,
      THROTTLE_GENERAL_LIMIT: 100,
      THROTTLE_GENERAL_WINDOW_SECONDS: 900,
      THROTTLE_STRICT_LIMIT: 5,
      THROTTLE_STRICT_WINDOW_SECONDS: 60,
      TRUST_PROXY: false,
      CORS_ORIGINS: [],
      CACHE_ENABLED: true,
      CACHE_TTL_SECONDS: 3600,
      LOG_LEVEL: 'info',
      SHUTDOWN_DRAIN_SECONDS: 5,
    });
  });

  it.each(Object.keys(REQUIRED))('says that %s is missing', (name) => {
    const message = messageFor({ [name]: undefined });
    expect(message).toMatch(new RegExp(`^${name} is missing: it must .+\\.$`));
    expect(messageFor({ [name]: '' })).toBe(message);
  });

  it.each([
    ['NODE_ENV', 'staging'],
    ['HOST', 'two words'],
    ['PORT', 'http'],
    ['PORT', '70000'],
    ['PORT', '-1'],
    ['METRICS_PORT', '1.5'],
    ['METRICS_PORT', '5000'],
    ['WORKERS', '0'],
    ['WORKERS', '-2'],
    ['WORKERS', 'many'],
    ['PUBLIC_URL', 'api.test.org'],
    ['PUBLIC_URL', 'ftp://api.test.org'],
    ['MONGODB_URI', 'postgres://user:hunter2@localhost'],
    ['MONGODB_MAX_POOL_SIZE', '0'],
    ['MONGODB_MIN_POOL_SIZE', '-1'],
    ['MONGODB_READ_PREFERENCE', 'anyone'],
    ['REDIS_URL', 'http://:hunter2@localhost'],
    ['REDIS_URL', 'redis://:hunter2@localhost/cache'],
    ['REDIS_URL', 'redis://:hunter2%zz@localhost'],
    ['MODULES', 'auth,users,billing'],
    ['MODULES', 'auth,auth'],
    ['EVENT_BUS', 'kafka'],
    ['SMTP_URL', 'user:hunter2@localhost'],
    ['MAIL_FROM', 'nobody'],
    ['APP_SECRETS', 'hunter2'],
    ['APP_SECRETS', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
    ['APP_SECRETS', `change-me-${SECRET}`],
    ['APP_SECRETS', `${SECRET},too-short`],
    ['JWT_PRIVATE_KEYS', 'hunter2'],
    ['JWT_PRIVATE_KEYS', newPem('secp384r1')],
    ['JWT_PRIVATE_KEYS', PEM.replace(/[A-Za-z0-9+/]{20}/, 'x'.repeat(20))],
    ['JWT_ISSUER', '  '],
    ['ACCESS_TOKEN_TTL_SECONDS', '0'],
    ['REFRESH_TOKEN_TTL_SECONDS', '59'],
    ['SESSION_MAX_AGE_SECONDS', '59'],
    ['REFRESH_REUSE_GRACE_SECONDS', '-1'],
    ['PWNED_PASSWORDS_URL', 'ftp://example.org'],
    ['THROTTLE_GENERAL_LIMIT', '0'],
    ['THROTTLE_GENERAL_WINDOW_SECONDS', 'a minute'],
    ['THROTTLE_STRICT_LIMIT', '2.5'],
    ['THROTTLE_STRICT_WINDOW_SECONDS', '0'],
    ['CORS_ORIGINS', 'app.test.org'],
    ['CORS_ORIGINS', 'https://app.test.org/path'],
    ['CACHE_ENABLED', 'yes'],
    ['CACHE_TTL_SECONDS', '0'],
    ['S3_ENDPOINT', 'minio:9000'],
    ['CDN_URL', 'files.test.org'],
    ['LOG_LEVEL', 'loud'],
    ['SHUTDOWN_DRAIN_SECONDS', '-5'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'grpc://collector:4317'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'hunter2'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'production'],
    ['OTEL_TRACES_SAMPLER', 'sometimes'],
    ['OTEL_TRACES_SAMPLER_ARG', '5%'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
    ['OTEL_METRICS_EXPORTER', 'prometheus'],
    ['SENTRY_DSN', 'https://sentry.test.org/42'],
  ])('says in one sentence what is wrong with %s=%s, and never the value', (name, value) => {
    const message = messageFor({ [name]: value });
    expect(message).toMatch(new RegExp(`^${name} [^\\n]+\\.$`));
    if (value.length > 5) expect(message).not.toContain(value);
    expect(message).not.toContain('hunter2');
  });

  it('takes the public address with or without a slash at its end', () => {
    const addresses = ['https://api.test.org', 'https://api.test.org/', 'https://api.test.org/base//'].map(
      (PUBLIC_URL) => readEnvironment({ ...REQUIRED, PUBLIC_URL }).PUBLIC_URL,
    );
    expect(addresses).toEqual(['https://api.test.org', 'https://api.test.org', 'https://api.test.org/base']);
  });

  it("names a variable once, also where the sentence is the validator's own", () => {
    expect(messageFor({ ACCESS_TOKEN_TTL_SECONDS: '4000' })).toBe(
      'ACCESS_TOKEN_TTL_SECONDS must not be greater than 3600.',
    );
  });

  it('wants a broker where modules are in several processes, and its address', () => {
    const split = { MODULES: 'auth,users' };
    expect(messageFor(split)).toBe('EVENT_BUS must be rabbitmq where MODULES names only some of the modules.');
    expect(messageFor({ ...split, EVENT_BUS: 'rabbitmq' })).toBe(
      'RABBITMQ_URL is missing: it must be an amqp:// or amqps:// address.',
    );
    expect(messageFor({ EVENT_BUS: 'rabbitmq', RABBITMQ_URL: 'http://:hunter2@broker' })).toBe(
      'RABBITMQ_URL must be an amqp:// or amqps:// address.',
    );
    expect(messageFor({ ...split, EVENT_BUS: 'rabbitmq', RABBITMQ_URL: 'amqp://broker' })).toBe('');
    expect(readEnvironment(REQUIRED)).toMatchObject({
      MODULES,
      EVENT_BUS: 'in-process',
    });
  });

  it.each([
    [{ SMS_DRIVER: 'twilio' }, ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_FROM']],
    [{ SMS_DRIVER: 'webhook' }, ['SMS_WEBHOOK_SECRET', 'SMS_WEBHOOK_URL']],
    [{ SMS_DRIVER: 'webhook', SMS_WEBHOOK_URL: 'http://sms', SMS_WEBHOOK_SECRET: 'short' }, ['SMS_WEBHOOK_SECRET']],
    [{ SMS_DRIVER: 'pigeon' }, ['SMS_DRIVER']],
    [{ VAPID_PUBLIC_KEY: newVapidKeys().VAPID_PUBLIC_KEY }, ['VAPID_PRIVATE_KEY']],
    [{ VAPID_PRIVATE_KEY: newVapidKeys().VAPID_PRIVATE_KEY }, ['VAPID_PUBLIC_KEY']],
    [{ ...newVapidKeys(), VAPID_PRIVATE_KEY: newVapidKeys().VAPID_PRIVATE_KEY }, ['VAPID_PUBLIC_KEY']],
    [newVapidKeys(), []],
  ])('says of %j what is missing or wrong: %j', (variables, names) => {
    const lines = messageFor(variables).split('\n').filter(Boolean);
    expect(lines.map((line) => line.split(' ')[0]).sort()).toEqual(names);
  });

  it('names all that is wrong at once, a line each', () => {
    const lines = messageFor({ PORT: 'x', LOG_LEVEL: 'x', REDIS_URL: undefined }).split('\n');
    expect(lines.map((line) => line.split(' ')[0]).sort()).toEqual(['LOG_LEVEL', 'PORT', 'REDIS_URL']);
  });

  it('reads lists, numbers and truths', () => {
    const other = newPem();
    const environment = readEnvironment({
      ...REQUIRED,
      PORT: '8080',
      CACHE_ENABLED: 'false',
      CORS_ORIGINS: 'https://a.test.org, https://b.test.org',
      APP_SECRETS: `${SECRET}, ${SECRET}`,
      JWT_PRIVATE_KEYS: `${PEM}${other.replaceAll('\n', '\\n')}`,
    });
    expect(environment).toMatchObject({
      PORT: 8080,
      CACHE_ENABLED: false,
      CORS_ORIGINS: ['https://a.test.org', 'https://b.test.org'],
      APP_SECRETS: [SECRET, SECRET],
      JWT_PRIVATE_KEYS: [PEM.trim(), other.trim()],
    });
  });

  it('takes derived keys in place of the secrets, all that the modules need', () => {
    const split = { EVENT_BUS: 'rabbitmq', RABBITMQ_URL: 'amqp://localhost', APP_SECRETS: undefined };
    const key = (purpose: string) => `${purpose}:${'hunter2'.padEnd(43, 'A')}`;
    const given = [key('one-time-token'), key('cursor'), key('email-unsubscribe')];
    expect(messageFor({ ...split, MODULES: 'auth,notifications' })).toMatch(/^APP_SECRETS is missing: .* APP_KEYS/);
    expect(messageFor({ ...split, MODULES: 'auth,notifications', APP_KEYS: given.join() })).toBe(
      'APP_KEYS lacks keys of refresh-token, mfa-secret, device-token, step-up-question, step-up-answer; ' +
        'print those that a module needs with: cli keys derive app-secret --for MODULES.',
    );
    for (const APP_KEYS of ['hunter2', `${given.join()},cursor:hunter2`]) {
      expect(messageFor({ ...split, APP_KEYS })).toMatch(/^APP_KEYS must hold (?!.*hunter2).*--for MODULES\.$/);
    }
    const keys = {
      JWT_PRIVATE_KEYS: undefined,
      JWT_PUBLIC_KEYS: String(createPublicKey(PEM).export({ type: 'spki', format: 'pem' })),
    };
    const environment = readEnvironment({
      ...REQUIRED,
      ...split,
      ...keys,
      MODULES: 'notifications',
      APP_KEYS: given.join(),
    });
    expect([environment.APP_KEYS, environment.APP_SECRETS]).toEqual([given, undefined]);
  });

  it('needs the private key where auth is served, and elsewhere only the public one', () => {
    const publicKey = String(createPublicKey(PEM).export({ type: 'spki', format: 'pem' }));
    const split = { EVENT_BUS: 'rabbitmq', RABBITMQ_URL: 'amqp://localhost', JWT_PRIVATE_KEYS: undefined };
    const keys = { JWT_PUBLIC_KEYS: publicKey };
    expect(messageFor({ ...split, ...keys, MODULES: 'auth,users' })).toMatch(/^JWT_PRIVATE_KEYS is missing/);
    expect(messageFor({ ...split, MODULES: 'users' })).toMatch(/^JWT_PUBLIC_KEYS is missing/);
    expect(messageFor({ ...split, MODULES: 'users', JWT_PUBLIC_KEYS: PEM })).toMatch(/^JWT_PUBLIC_KEYS must hold/);
    const environment = readEnvironment({ ...REQUIRED, ...split, ...keys, MODULES: 'users,notifications' });
    expect(environment.JWT_PUBLIC_KEYS).toEqual([publicKey.trim()]);
    expect(environment.JWT_PRIVATE_KEYS).toBeUndefined();
  });

  it.each([
    ['4', 4],
    ['auto', 'auto'],
  ])('takes WORKERS=%s', (value, expected) => {
    expect(readEnvironment({ ...REQUIRED, WORKERS: value }).WORKERS).toBe(expected);
  });

  it.each([
    ['1', 1],
    ['false', false],
    ['10.0.0.0/8, 127.0.0.1', ['10.0.0.0/8', '127.0.0.1']],
  ])('takes TRUST_PROXY=%s', (value, expected) => {
    expect(readEnvironment({ ...REQUIRED, TRUST_PROXY: value }).TRUST_PROXY).toEqual(expected);
  });

  it('reads nothing but what it knows', () => {
    expect(readEnvironment({ ...REQUIRED, AWS_SECRET: 'x' })).not.toHaveProperty('AWS_SECRET');
  });
});

describe('NAME_FILE', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'environment-'));
    writeFileSync(join(folder, 'redis'), 'rediss://:secret@elsewhere\n\n');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('gives a variable as the content of a file', () => {
    const source = { ...REQUIRED, REDIS_URL: undefined, REDIS_URL_FILE: join(folder, 'redis') };
    expect(readEnvironment(source).REDIS_URL).toBe('rediss://:secret@elsewhere');
  });

  it('loses to the variable itself', () => {
    expect(readEnvironment({ ...REQUIRED, REDIS_URL_FILE: join(folder, 'redis') }).REDIS_URL).toBe('redis://localhost');
  });

  it('is named where the file cannot be read', () => {
    const message = messageFor({ REDIS_URL: undefined, REDIS_URL_FILE: join(folder, 'nowhere') });
    expect(message).toMatch(/^REDIS_URL_FILE [^\n]+\.$/);
  });
});

describe('.env.example', () => {
  const lines = readFileSync('.env.example', 'utf8').split('\n');
  // What begins with LOCAL_ is read by npm start alone.
  const variables = lines.flatMap((line) => {
    const [, name, value] = /^#? ?([A-Z][A-Z0-9_]+)=(.*)$/.exec(line) ?? [];
    return name === undefined || name.startsWith('LOCAL_') ? [] : [[name, value ?? ''] as const];
  });

  it('lists exactly the variables that the service reads', () => {
    expect(variables.map(([name]) => name).sort()).toEqual([...ENVIRONMENT_NAMES].sort());
  });

  it('tells the default of each', () => {
    const areas = [...AREAS, SecretSource].map((area) => new area());
    const defaults = Object.assign({}, ...areas) as Record<string, string | undefined>;
    const shown = Object.fromEntries(variables);
    const expected = ENVIRONMENT_NAMES.map((name) => [name, String(defaults[name] ?? '')]);
    expect(shown).toEqual(Object.fromEntries(expected));
  });
});

describe('where files are', () => {
  it('takes a bucket in place of a folder, then with its region', () => {
    const bucket = { STORAGE_PATH: undefined, S3_BUCKET: 'files' };
    expect(messageFor({ ...bucket, S3_REGION: 'eu-central-1' })).toBe('');
    expect(messageFor(bucket)).toMatch(/^S3_REGION is missing: it must .+\.$/);
  });

  it.each([
    ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'],
    ['S3_SECRET_ACCESS_KEY', 'S3_ACCESS_KEY_ID'],
  ])('wants no %s without %s', (given, missing) => {
    expect(messageFor({ [given]: 'hunter2' })).toMatch(new RegExp(`^${missing} is missing: it must [^\\n]+\\.$`));
  });
});
