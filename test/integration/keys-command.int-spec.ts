import { spawnSync } from 'node:child_process';

function cli(args: string[], env: NodeJS.ProcessEnv) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/cli.js', ...args], { env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('cli keys, as a process', () => {
  it('needs nothing but the variable, and prints nothing else on standard output', () => {
    const made = cli(['keys', 'make', 'jwt'], {});
    expect(made.status).toBe(0);
    expect(made.stdout).toMatch(/^-----BEGIN [^-]+-----\n[^-]+-----END/);
    expect(made.stderr).toMatch(/^A new key, .*\n$/);
    const added = cli(['keys', 'add', 'jwt'], { JWT_PRIVATE_KEYS: made.stdout });
    expect(added.status).toBe(0);
    expect(added.stdout.startsWith(made.stdout)).toBe(true);
    expect(cli(['keys', 'list', 'jwt'], { JWT_PRIVATE_KEYS: added.stdout }).stdout).toMatch(/^1\. .*\n2\. .*\n$/);
  });

  it('fails in one sentence', () => {
    expect(cli(['keys', 'list', 'jwt'], { SECRETS_SOURCE: 'drawer' })).toEqual({
      status: 1,
      stdout: '',
      stderr: 'SECRETS_SOURCE must be env, vault or aws-secrets-manager.\n',
    });
    const { status, stderr } = cli(['keys'], {});
    expect([status, stderr]).toEqual([1, expect.stringContaining('Usage: cli keys STEP')]);
  });
});
