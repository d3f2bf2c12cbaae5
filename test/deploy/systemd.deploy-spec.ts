import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessEnvironment } from '../../src/config/areas/process.environment.js';
import { ENVIRONMENT_NAMES } from '../../src/config/environment.js';
import { CLOSE_TIMEOUT_MS } from '../../src/platform/shutdown/shutdown.js';
import { ToolMissingError } from './support/tools.js';

const UNIT = 'systemd/scalable-api@.service';
const unit = readFileSync(UNIT, 'utf8');
const values = (key: string) => [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value]) => value!);

describe(UNIT, () => {
  it('sets variables that the service reads', () => {
    const names = values('Environment').flatMap((line) => line.split(' ').map((pair) => pair.split('=')[0]!));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(ENVIRONMENT_NAMES).toContain(name.replace(/_FILE$/, ''));
  });

  it('lets it end in good order', () => {
    const drain = new ProcessEnvironment().SHUTDOWN_DRAIN_SECONDS;
    expect(Number(values('TimeoutStopSec')[0])).toBeGreaterThan(drain + CLOSE_TIMEOUT_MS / 1000);
    expect(values('ExecReload')).toEqual(['/bin/kill -HUP $MAINPID']);
  });

  it('bounds memory by an amount: of a share, each instance of the machine would have its own', () => {
    expect(values('MemoryMax')).toEqual(['2G']);
    // What WORKERS=auto needs is the one instance's.
    expect(readFileSync('docs/deploy.md', 'utf8')).toMatch(
      /MemoryMax=75%%.* > \/etc\/systemd\/system\/scalable-api@5000\.service\.d/,
    );
  });

  it('is a unit that systemd understands', () => {
    const folder = mkdtempSync(join(tmpdir(), 'deploy-'));
    try {
      const said = (text: string) => {
        const file = join(folder, 'scalable-api@.service');
        // Where node is on this machine doesn't matter here.
        writeFileSync(file, text.replace('/usr/bin/node', process.execPath));
        const { error, stderr } = spawnSync('systemd-analyze', ['--man=no', 'verify', file], { encoding: 'utf8' });
        if (error) throw new ToolMissingError('systemd-analyze');
        return stderr;
      };
      expect(said(unit)).toBe('');
      expect(said(unit.replace('RestartSec=', 'RestartSecond='))).toMatch(/RestartSecond.*ignoring/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
