import { spawnSync } from 'node:child_process';

function cli(args: string[], env: NodeJS.ProcessEnv) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/cli.js', ...args], { env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('cli, as a process', () => {
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
  });

  it.each([
    [['keys'], 'Usage: cli keys'],
    [['keys', 'make', 'toString'], 'Allowed choices are jwt, app-secret.'],
    [['keys', 'make', 'jwt', 'now'], 'too many arguments'],
    [['keys', 'derive', 'jwt', '--for', 'users'], 'Allowed choices are app-secret.'],
    [['keys', 'derive', 'app-secret', '--for', 'billing'], 'It must be one or more of auth, '],
    [['reencrypt-secrets', '--dry-run'], "unknown option '--dry-run'"],
    [['sync-indexes', 'now'], 'too many arguments'],
    [['destroy-everything'], "unknown command 'destroy-everything'"],
  ])('%j is refused before anything is done', (args, message) => {
    expect(cli(args, {})).toEqual({ status: 2, stdout: '', stderr: expect.stringContaining(message) as string });
  });

  it.each(['create-admin', 'reencrypt-secrets', 'keys'])('%s --help explains the command, and does nothing', (name) => {
    const { status, stdout, stderr } = cli([name, '--help'], {});
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(new RegExp(`^Usage: cli ${name}`));
  });
});
