import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSecrets } from './secrets.js';

describe('loadSecrets', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'secrets-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('makes them once and keeps them, for the owner alone to read', () => {
    const file = join(folder, 'secrets.json');
    const made = loadSecrets(file);
    expect(loadSecrets(file)).toEqual(made);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('makes 32 random bytes and a P-256 key that can sign', () => {
    const { APP_SECRETS, JWT_PRIVATE_KEYS } = loadSecrets(join(folder, 'secrets.json'));
    expect(Buffer.from(APP_SECRETS, 'base64url')).toHaveLength(32);
    expect(JWT_PRIVATE_KEYS).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(createPrivateKey(JWT_PRIVATE_KEYS).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  });

  it('refuses a damaged file instead of replacing what data were encrypted with', () => {
    const file = join(folder, 'damaged.json');
    writeFileSync(file, '{"APP_SECRETS":');
    expect(() => loadSecrets(file)).toThrow(/is damaged/);
  });
});
