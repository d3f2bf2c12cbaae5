import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const SCRIPT = resolve('deploy/release.sh');
const RENDERED = 'kind: Deployment\nmetadata:\n  name: scalable-api\n  namespace: production\n';

/**
 * No cluster, engine or service manager is there to be released to: programs that note how they were called, and answer
 * as told, stand in for them. The script is the real one.
 */
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'deploy-release-'));
  for (const name of ['kubectl', 'docker', 'systemctl', 'systemd-run', 'curl']) stub(name, '');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** @param body shell that answers; `$*` are the arguments */
function stub(name: string, body: string): void {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\necho "${name} $*" >>"${folder}/calls"\n${body}\n`);
  chmodSync(file, 0o755);
}

function release(...args: string[]) {
  return run(['bash', SCRIPT, ...args]);
}

function run([command, ...args]: string[], variables: Record<string, string> = {}) {
  const { status, stderr } = spawnSync(command!, args, {
    encoding: 'utf8',
    timeout: 10_000,
    env: {
      ...process.env,
      ...variables,
      PATH: `${folder}:${process.env['PATH']}`,
      RELEASE_SETTLE_SECONDS: '0',
      RELEASE_POLL_SECONDS: '0',
      RELEASE_READY_SECONDS: '0',
    },
  });
  return { status, stderr };
}

/** The calls that change something, in order. */
const changes = () =>
  readFileSync(join(folder, 'calls'), 'utf8')
    .split('\n')
    .filter((line) => /apply|delete|rollout|restart|stop|systemd-run|up |run |reload/.test(line))
    .map((line) => line.replace(/-f \/tmp\S+/, '-f FILE').replace(/release-\d+/, 'release-PID'));

function cluster(conditions: string, rest = ''): void {
  stub(
    'kubectl',
    `case "$*" in
  kustomize*) printf '${RENDERED.replaceAll('\n', '\\n')}' ;;
  *"get job"*) echo "${conditions}" ;;
  *"-o name") echo deployment.apps/scalable-api ;;
  ${rest}
esac`,
  );
}

describe('deploy/release.sh kubernetes', () => {
  it('replaces the instances once the Jobs have completed, and waits for them', () => {
    cluster('scalable-api-indexes SuccessCriteriaMet=True Complete=True');
    expect(release('kubernetes', 'k8s/overlays/one-service')).toMatchObject({ status: 0 });
    expect(changes()).toEqual([
      'kubectl -n production delete job -l part=indexes --ignore-not-found --wait',
      'kubectl apply -f FILE -l part in (config,indexes)',
      'kubectl apply -f FILE',
      'kubectl -n production rollout status deployment.apps/scalable-api --timeout=0s',
    ]);
  });

  it('ends at a Job that failed, shows its log, and leaves the instances alone', () => {
    cluster('scalable-api-indexes Complete=True\nb-indexes FailureTarget=True Failed=True', '*logs*) echo boom ;;');
    const { status, stderr } = release('kubernetes', 'k8s/overlays/split');
    expect(status).toBe(1);
    expect(stderr).toMatch(/boom[^]*migrations failed \(b-indexes\): nothing else was changed/);
    expect(changes()).toHaveLength(2);
  });

  it('waits no longer than it may for Jobs that go on', () => {
    cluster('scalable-api-indexes');
    process.env['RELEASE_MIGRATE_SECONDS'] = '0';
    try {
      const { status, stderr } = release('kubernetes', 'k8s/overlays/split');
      expect([status, stderr]).toEqual([1, expect.stringContaining('took longer than 0 s')]);
    } finally {
      delete process.env['RELEASE_MIGRATE_SECONDS'];
    }
    expect(changes()).toHaveLength(2);
  });

  it.each([
    ['without a Job', '', '', 'needs components/index-job'],
    [
      'without its namespace',
      'a Complete=True',
      '"get namespace"*) exit 1 ;;',
      'the namespace production is not there',
    ],
    ['whose pods are not ready', 'a Complete=True', '*"rollout status"*) exit 1 ;;', 'rollout undo'],
    ['that is refused', 'a Complete=True', '*"apply -f"*) exit 1 ;;', 'was refused'],
  ])('fails for an overlay %s', (_, conditions, rest, message) => {
    cluster(conditions, rest);
    const { status, stderr } = release('kubernetes', 'k8s/overlays/one-service');
    expect([status, stderr]).toEqual([1, expect.stringContaining(message)]);
  });
});

describe('deploy/release.sh compose', () => {
  it('replaces one service after the other, and has NGINX look their addresses up', () => {
    expect(release('compose', 'api-1', 'api-2')).toMatchObject({ status: 0 });
    const compose = 'docker compose -f docker/compose.yaml';
    expect(changes()).toEqual([
      `${compose} run --rm -T --name scalable-api-release-PID indexes`,
      `${compose} up --detach --no-deps --wait --wait-timeout 0 api-1`,
      `${compose} exec -T nginx nginx -s reload`,
      `${compose} up --detach --no-deps --wait --wait-timeout 0 api-2`,
      `${compose} exec -T nginx nginx -s reload`,
    ]);
  });

  it('leaves the services alone where a migration fails', () => {
    stub('docker', 'case "$*" in *" indexes") exit 3 ;; esac');
    const { status, stderr } = release('compose');
    expect([status, stderr]).toEqual([1, expect.stringContaining('migrations failed: nothing else was changed')]);
    expect(changes()).toHaveLength(1);
  });

  it('is not stopped by a terminal that the migrations set up', () => {
    stub('docker', 'case "$*" in *" indexes") [ ! -t 0 ] && stty sane </dev/tty ;; esac');
    const inTerminal = ['script', '--quiet', '--return', '--command', `bash ${SCRIPT} compose api-1`, '/dev/null'];
    expect(run(inTerminal, { RELEASE_MIGRATE_SECONDS: '3' })).toMatchObject({ status: 0 });
  });

  it('stops migrations that take longer than they may', () => {
    stub('docker', 'case "$*" in *" indexes") exec sleep 10 ;; esac');
    const { status, stderr } = run(['bash', SCRIPT, 'compose'], { RELEASE_MIGRATE_SECONDS: '0.2' });
    expect([status, stderr]).toEqual([1, expect.stringContaining('longer than 0.2 s and were told to stop')]);
    expect(changes().slice(1)).toEqual(['docker stop scalable-api-release-PID']);
  });

  it('refuses services of the split shape', () => {
    stub('docker', 'exit 9');
    const { status, stderr } = release('compose', 'api-1', 'auth');
    expect([status, stderr]).toEqual([1, expect.stringContaining('auth is not an instance of the one service')]);
    expect(existsSync(join(folder, 'calls'))).toBe(false);
  });
});

describe('deploy/release.sh systemd', () => {
  it('leaves the next instance alone where one is not ready', () => {
    stub('curl', 'exit 22');
    const { status, stderr } = release('systemd', '5000', '5001');
    expect([status, stderr]).toEqual([1, expect.stringContaining('scalable-api@5000 is not ready')]);
    expect(changes().slice(1)).toEqual(['systemctl restart scalable-api@5000']);
  });

  it('stops migrations that take longer than they may: they outlive systemd-run', () => {
    stub('systemd-run', 'exec sleep 10');
    const { status, stderr } = run(['bash', SCRIPT, 'systemd', '5000'], { RELEASE_MIGRATE_SECONDS: '0.2' });
    expect([status, stderr]).toEqual([1, expect.stringContaining('were told to stop')]);
    expect(changes()).toEqual([
      expect.stringContaining('--unit=scalable-api-release-PID '),
      'systemctl stop scalable-api-release-PID',
    ]);
  });
});

it.each([[[]], [['kubernetes']], [['systemd']], [['helm', 'a']]])(
  'deploy/release.sh %j says how it is called',
  (args) => {
    const { status, stderr } = release(...args);
    expect([status, stderr]).toEqual([2, expect.stringContaining('deploy/release.sh kubernetes OVERLAY')]);
  },
);
