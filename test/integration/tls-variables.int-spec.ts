import { generateKeyPairSync } from 'node:crypto';
import { readEnvironment } from '../../src/config/environment.js';
import { type Authority, type Certificate, makeAuthority } from '../support/certificates.js';

let authority: Authority;
let client: Certificate;
beforeAll(() => {
  authority = makeAuthority('Ours');
  client = authority.issue('client');
});
afterAll(() => authority.remove());

const { privateKey } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const COMPLETE = {
  PUBLIC_URL: 'https://api.test',
  MONGODB_URI: 'mongodb://database.test/api',
  REDIS_URL: 'rediss://redis.test',
  SMTP_URL: 'smtp://mail.test',
  STORAGE_PATH: '/srv/files',
  MAIL_FROM: 'no-reply@api.test',
  APP_SECRETS: 'Kq3vX9sT0bWm5yRzLd8uHf2nJc7pGa4e',
  JWT_PRIVATE_KEYS: privateKey,
};

function problemOf(variables: NodeJS.ProcessEnv): string {
  try {
    readEnvironment({ ...COMPLETE, ...variables });
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

describe.each(['MONGODB', 'REDIS', 'RABBITMQ'])('%s_TLS_*', (server) => {
  const [ca, cert, key] = [`${server}_TLS_CA`, `${server}_TLS_CERT`, `${server}_TLS_KEY`];

  it('takes PEM, in one line with \\n as well, or files', () => {
    const oneLine = client.cert.trim().replaceAll('\n', '\\n');
    const read = readEnvironment({
      ...COMPLETE,
      [`${ca}_FILE`]: authority.certFile,
      [cert]: oneLine,
      [`${key}_FILE`]: client.keyFile,
    });
    expect(read).toMatchObject({
      [ca]: authority.cert.trim(),
      [cert]: client.cert.trim(),
      [key]: client.key.trim(),
    });
  });

  it('takes an authority alone, and a bundle of several', () => {
    expect(problemOf({ [ca]: authority.cert + client.cert })).toBe('');
  });

  it('wants certificates that can be read', () => {
    const broken = authority.cert.replace('MII', 'AAA');
    expect(problemOf({ [ca]: broken })).toBe(`${ca} must hold one or more certificates as PEM.`);
    expect(problemOf({ [ca]: '/etc/ca.pem' })).toMatch(new RegExp(`^${ca} must hold`));
  });

  it('wants the key of the certificate', () => {
    const rule = `must hold the private key, as PEM without a passphrase, of the certificate in ${cert}.`;
    expect(problemOf({ [cert]: client.cert })).toBe(`${key} is missing: it ${rule}`);
    expect(problemOf({ [key]: client.key })).toBe(`${key} ${rule}`);
    expect(problemOf({ [cert]: client.cert, [key]: authority.key })).toBe(`${key} ${rule}`);
  });
});

it('wants an address with TLS where there are certificates for it', () => {
  const problem = problemOf({ REDIS_URL: 'redis://redis.test', REDIS_TLS_CA: authority.cert });
  expect(problem).toMatch(/^REDIS_URL must be a rediss:\/\/ address/);
  const bus = { EVENT_BUS: 'rabbitmq', RABBITMQ_URL: 'amqp://broker.test', RABBITMQ_TLS_CA: authority.cert };
  expect(problemOf(bus)).toMatch(/^RABBITMQ_URL must be an amqps:\/\/ address/);
});
