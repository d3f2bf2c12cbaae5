import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { killProcesses, type ProcessSpec, startProcess } from './process.js';
import { startMark } from './process-identity.js';
import { processTree, signalProcesses } from './process-tree.js';

const shell = (script: string, more: Partial<ProcessSpec> = {}) =>
  startProcess({ name: 'shell', command: '/bin/sh', args: ['-c', script], ready: /^ready$/, ...more });

async function untilGone(pids: number[]): Promise<void> {
  while (pids.some((pid) => startMark(pid) !== undefined)) await delay(20);
}

describe('a child process', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'process-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('that was stopped by a signal ends in good order', async () => {
    const child = await shell('trap "echo ended; exit" TERM; echo ready; while :; do sleep 0.05; done');
    signalProcesses(processTree(child.pid), 'SIGSTOP');
    await child.stop();
    expect(child.lastLines()).toEqual(['ready', 'ended']);
    expect(await child.exited).toBe('code 0');
  });

  it('that ignores its end is killed with those it has started, which keep its output open', async () => {
    const child = await shell('trap "" TERM; sleep 1000 & echo ready; wait', { stopBoundMs: 100 });
    const tree = processTree(child.pid);
    expect(tree.length).toBe(2);
    await child.stop();
    expect(await child.exited).toBe('signal SIGKILL');
    await untilGone(tree);
  });

  it('that cannot be recorded does not go on', async () => {
    let pid = 0;
    const onSpawn: ProcessSpec['onSpawn'] = (spawned) => {
      pid = spawned.pid;
      throw new Error('ENOSPC: no space left on device');
    };
    await expect(shell('echo ready; exec sleep 1000', { onSpawn })).rejects.toThrow('ENOSPC');
    await untilGone([pid]);
  });

  it('may have ended when all are killed', async () => {
    const child = await shell('sleep 2 & echo ready');
    await untilGone([child.pid]);
    await delay(0); // the event loop has taken note of it, while its output is still open
    expect(() => killProcesses()).not.toThrow();
    await child.exited;
  });

  it.each(['/dev/full', 'no-such-folder/shell.log'])(
    'runs although its log file %s cannot be written',
    async (file) => {
      const child = await shell('echo a line; echo ready; exec sleep 1000', { logFile: resolve(folder, file) });
      expect(child.lastLines()).toEqual(['a line', 'ready']);
      await child.stop();
    },
  );
});
