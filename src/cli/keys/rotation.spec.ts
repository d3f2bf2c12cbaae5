import { randomBytes } from 'node:crypto';
import { JwtService } from '@nestjs/jwt';
import { SecretBox } from '../../common/crypto/secret-box.js';
import { ProcessEnvironment } from '../../config/areas/process.environment.js';
import { readEnvironment } from '../../config/environment.js';
import { SIGNING_ALGORITHM, SigningKeys } from '../../platform/authentication/signing-keys.js';
import { KEY_KINDS, type KeyKind } from './key-kinds.js';
import { keys } from './keys.js';

/** The values of a whole rotation: before, added, promoted, retired. During a rollout, neighbours run side by side. */
async function rotation(kind: KeyKind): Promise<string[][]> {
  const { variable, split } = kind;
  const values = [(await keys('make', kind, {})).output];
  for (const step of ['add', 'promote', 'retire'] as const) {
    values.push((await keys(step, kind, { [variable]: values.at(-1) })).output);
  }
  return values.map(split);
}

const STAGES = ['before', 'added', 'promoted', 'retired'];
const NEIGHBOURS = STAGES.flatMap((_, at) =>
  [at - 1, at, at + 1].filter((to) => to in STAGES).map((to) => [at, to] as const),
);
const titles = NEIGHBOURS.map(([from, to]) => [STAGES[from], STAGES[to], from, to] as const);

/** What a process that serves users has beside its keys. */
const OTHER_VARIABLES = {
  MODULES: 'users',
  EVENT_BUS: 'rabbitmq',
  RABBITMQ_URL: 'amqp://localhost',
  PUBLIC_URL: 'http://localhost:5000',
  MONGODB_URI: 'mongodb://localhost/x',
  REDIS_URL: 'redis://localhost',
  SMTP_URL: 'smtp://localhost',
  MAIL_FROM: 'a@test.org',
  APP_SECRETS: randomBytes(48).toString('base64'),
  STORAGE_PATH: '/srv/files',
};

describe('a rotation of JWT_PRIVATE_KEYS', () => {
  let stages: SigningKeys[];
  let values: string[];
  const jwt = new JwtService();

  beforeAll(async () => {
    const pemLists = await rotation(KEY_KINDS.jwt);
    values = pemLists.map((pems) => pems.join('\n'));
    stages = pemLists.map((pems) => new SigningKeys({ JWT_PRIVATE_KEYS: pems }, new ProcessEnvironment()));
  });

  const issue = ({ current }: SigningKeys): string =>
    jwt.sign(
      { sub: 'u' },
      { algorithm: SIGNING_ALGORITHM, privateKey: current.privateKey as never, keyid: current.id },
    );

  function verifies(keysThere: SigningKeys, token: string): boolean {
    const { header } = jwt.decode<{ header: { kid: string } }>(token, { complete: true });
    const key = keysThere.find(header.kid);
    if (!key) return false;
    return Boolean(jwt.verify<object>(token, { publicKey: key.publicKey as never, algorithms: [SIGNING_ALGORITHM] }));
  }

  it.each(titles)('tokens of "%s" are good at "%s"', (_from, _to, from, to) => {
    expect(verifies(stages[to] as SigningKeys, issue(stages[from] as SigningKeys))).toBe(true);
  });

  it('has the new key in the published set one rollout before anything is signed with it', () => {
    const [before, added, promoted] = stages as [SigningKeys, SigningKeys, SigningKeys];
    expect(added.current.id).toBe(before.current.id);
    expect(added.toJwks().keys.map(({ kid }) => kid as string)).toContain(promoted.current.id);
  });

  it.each(titles)('tokens of "%s" are good at "%s" where only the public keys are', async (_from, _to, from, to) => {
    const { output } = await keys('public', KEY_KINDS.jwt, { JWT_PRIVATE_KEYS: values[to] });
    const environment = readEnvironment({ ...OTHER_VARIABLES, JWT_PUBLIC_KEYS: output });
    const verifying = new SigningKeys(environment, environment);
    expect(verifies(verifying, issue(stages[from] as SigningKeys))).toBe(true);
    expect(() => verifying.current).toThrow('no key to sign');
    expect(output).not.toContain('PRIVATE');
  });

  it('ends what the retired key signed', () => {
    expect(verifies(stages[3] as SigningKeys, issue(stages[0] as SigningKeys))).toBe(false);
  });
});

describe('a rotation of APP_SECRETS', () => {
  let stages: SecretBox[];

  beforeAll(async () => {
    const values = await rotation(KEY_KINDS['app-secret']);
    stages = values.map((secrets) => new SecretBox({ APP_SECRETS: secrets }));
  });

  it.each(titles)('what "%s" encrypts and signs is good at "%s"', (_from, _to, from, to) => {
    const [maker, reader] = [stages[from] as SecretBox, stages[to] as SecretBox];
    expect(reader.decrypt('mfa-secret', maker.encrypt('mfa-secret', 'JBSWY3DP'))).toBe('JBSWY3DP');
    expect(reader.verify('refresh-token', 's.1.seed', maker.sign('refresh-token', 's.1.seed'))).toBe(true);
  });

  it.each(titles)(
    'what "%s" makes with the secrets is good at "%s" with the derived keys, and back',
    async (_from, _to, from, to) => {
      const values = await rotation(KEY_KINDS['app-secret']);
      const whole = new SecretBox({ APP_SECRETS: values[from] });
      const source = { APP_SECRETS: values[to]?.join(',') };
      const { output } = await keys('derive', KEY_KINDS['app-secret'], source, { modules: ['auth'] });
      const derived = new SecretBox({ APP_KEYS: output.split(',') });
      for (const [maker, reader] of [
        [whole, derived],
        [derived, whole],
      ] as const) {
        expect(reader.decrypt('mfa-secret', maker.encrypt('mfa-secret', 'JBSWY3DP'))).toBe('JBSWY3DP');
        expect(reader.verify('refresh-token', 's', maker.sign('refresh-token', 's'))).toBe(true);
      }
    },
  );

  it('would lock out a neighbour if the new secret made before it had been rolled out', () => {
    const [before, , promoted] = stages as [SecretBox, SecretBox, SecretBox];
    expect(before.verify('refresh-token', 's', promoted.sign('refresh-token', 's'))).toBe(false);
  });

  it('gives two signatures of one refresh token while promoted and not yet promoted run together, both good', () => {
    const [, added, promoted] = stages as [SecretBox, SecretBox, SecretBox];
    const successors = [added, promoted].map((box) => box.sign('refresh-token', 's.2.seed'));
    expect(new Set(successors).size).toBe(2);
    for (const box of [added, promoted]) {
      expect(successors.map((successor) => box.verify('refresh-token', 's.2.seed', successor))).toEqual([true, true]);
    }
  });
});
