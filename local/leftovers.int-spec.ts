import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endLeftovers, openRecord } from './leftovers.js';
import { identify } from './process-identity.js';
import { readState, writeState } from './state.js';

describe('what a killed start leaves behind', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'state-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is ended in good order by the next start', async () => {
    const file = join(folder, 'servers.json');
    const server = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await once(server, 'spawn');
    const ended = once(server, 'exit');
    openRecord(file).add({ name: 'redis', stopSignal: 'SIGTERM', ...identify(server.pid) });
    expect(await endLeftovers(file)).toEqual(['redis']);
    expect(await ended).toEqual([null, 'SIGTERM']);
    expect(existsSync(file)).toBe(false);
  });

  it('is not taken for another process that got the same number', async () => {
    const file = join(folder, 'reused.json');
    openRecord(file).add({ name: 'redis', stopSignal: 'SIGKILL', pid: process.pid, startedAt: 'long ago' });
    expect(await endLeftovers(file)).toEqual([]);
  });

  it('makes no running stack of a state file whose launcher is gone', () => {
    const file = join(folder, 'state.json');
    writeState(file, { url: 'http://localhost:5000', env: { PORT: '5000' } });
    expect(readState(file)?.env).toEqual({ PORT: '5000' });
    expect(readState(join(folder, 'none.json'))).toBeUndefined();
  });
});
