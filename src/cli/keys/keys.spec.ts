import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessEnvironment } from '../../config/areas/process.environment.js';
import { ConfigurationError } from '../../config/environment.js';
import { SecretBox } from '../../common/crypto/secret-box.js';
import { SigningKeys } from '../../platform/authentication/signing-keys.js';
import type { ModuleName } from '../../contracts/modules.js';
import { UsageError } from '../command.js';
import { KEY_KINDS, type KeyKind } from './key-kinds.js';
import { keys, type Step } from './keys.js';

const KINDS = Object.entries<KeyKind>(KEY_KINDS);
const { jwt, 'app-secret': appSecret } = KEY_KINDS;

/** The steps of `cli keys` on one kind, each on the value that the one before has printed. */
function rotating(kind: KeyKind) {
  const step = async (which: Step, value?: string) =>
    (await keys(which, kind, value === undefined ? {} : { [kind.variable]: value })).output;
  return { make: () => step('make'), run: step };
}

describe.each(KINDS)('cli keys of %s', (_, kind) => {
  const { make, run } = rotating(kind);
  const { variable, split } = kind;

  it('makes keys that the service accepts, each another', async () => {
    const [first, second] = [await make(), await make()];
    expect(first).not.toBe(second);
    for (const value of [first, second]) expect(split(value).map(kind.isUsable)).toEqual([true]);
  });

  it('adds behind the others, promotes the last, and retires the last', async () => {
    const one = await make();
    const added = split(await run('add', one));
    expect(added).toEqual([one, expect.anything()]);
    const promoted = await run('promote', kind.join(added));
    expect(split(promoted)).toEqual([added[1], one]);
    expect(await run('retire', promoted)).toBe(added[1]);
  });

  it('takes a new key back that was not promoted', async () => {
    const one = await make();
    expect(await run('retire', await run('add', one))).toBe(one);
  });

  it('leaves the only key where it is', async () => {
    const one = await make();
    await expect(run('retire', one)).rejects.toThrow(UsageError);
    await expect(run('promote', one)).rejects.toThrow(/add a key first/);
  });

  it('lists ids, and in its notes gives no key away', async () => {
    const value = await run('add', await make());
    const [first, second] = split(value) as [string, string];
    expect(await run('list', value)).toBe(`1. ${kind.idOf(first)} makes\n2. ${kind.idOf(second)} reads`);
    const { output, note } = await keys('promote', kind, { [variable]: value });
    expect(split(output)).toHaveLength(2);
    expect(note).toMatch(
      /^1\. \S+ makes\n2\. \S+ reads\nSet [A-Z_]+ to this .* [Tt]hen: cli (reencrypt-secrets, and cli )?keys retire\.$/,
    );
    expect(note).not.toContain(first);
    expect(note).not.toContain(second);
  });

  it('refuses what the service would refuse', async () => {
    for (const step of ['list', 'add', 'promote', 'retire'] as const) {
      await expect(run(step)).rejects.toThrow(new RegExp(`^${variable} is missing`));
      await expect(run(step, 'changeme')).rejects.toThrow(ConfigurationError);
    }
  });
});

describe('cli keys', () => {
  it("lists a JWT's kid", async () => {
    const pem = (await keys('make', jwt, {})).output;
    const { current } = new SigningKeys({ JWT_PRIVATE_KEYS: [pem] }, new ProcessEnvironment());
    expect((await keys('list', jwt, { JWT_PRIVATE_KEYS: pem })).output).toBe(`1. ${current.id} makes`);
  });

  it('reads the variable from its file, and the times to wait from the environment', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keys-'));
    try {
      const path = join(folder, 'secrets');
      writeFileSync(path, `${(await keys('make', appSecret, {})).output}\n`);
      const added = await keys('add', appSecret, { APP_SECRETS_FILE: path });
      const source = { APP_SECRETS: added.output, REFRESH_TOKEN_TTL_SECONDS: '86400' };
      expect((await keys('promote', appSecret, source)).note).toContain('86400 s longer');
      expect((await keys('promote', appSecret, { ...source, REFRESH_TOKEN_TTL_SECONDS: '' })).note).toContain(
        '2592000 s',
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('writes a file of its owner alone, and over none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keys-'));
    try {
      const out = join(folder, 'jwt.pem');
      expect((await keys('make', jwt, {}, { out })).output).toBe('');
      expect(readFileSync(out, 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----\n[\s\S]+-----END PRIVATE KEY-----\n$/);
      expect(statSync(out).mode & 0o777).toBe(0o600);
      expect(execFileSync('openssl', ['pkey', '-in', out, '-noout', '-text'], { encoding: 'utf8' })).toContain(
        'prime256v1',
      );
      await expect(keys('make', jwt, {}, { out })).rejects.toThrow(/exists already/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('cli keys derive', () => {
  const derive = async (...modules: ModuleName[]) =>
    await keys('derive', appSecret, { APP_SECRETS: secret }, { modules });
  let secret: string;
  beforeAll(async () => {
    secret = (await keys('make', appSecret, {})).output;
  });

  it('gives a module the keys that it needs and no other', async () => {
    const { output, note } = await derive('notifications');
    expect(output.split(',').map((entry) => entry.split(':')[0])).toEqual([
      'one-time-token',
      'cursor',
      'email-unsubscribe',
    ]);
    expect(note).toContain('APP_KEYS');
    expect(note).not.toContain(secret);
    const box = new SecretBox({ APP_KEYS: output.split(',') });
    expect(box.verify('cursor', 'x', box.sign('cursor', 'x'))).toBe(true);
    expect(() => box.sign('refresh-token', 'x')).toThrow('APP_KEYS has no key for refresh-token');
    expect(box.verify('refresh-token', 'x', '')).toBe(false);
  });
});
