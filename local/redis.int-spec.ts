import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { cacheDir } from './paths.js';
import { startRedis } from './redis.js';
import type { ServerContext } from './server.js';

describe('startRedis', () => {
  const path = process.env['PATH'];
  const lines: string[] = [];
  let folder: string;
  let context: ServerContext;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'redis-'));
    mkdirSync(join(folder, 'logs'));
    mkdirSync(join(folder, 'bin'));
    const log = (line: string): void => void lines.push(line);
    const common = { dataDir: folder, logDir: join(folder, 'logs'), cacheDir: cacheDir(), log };
    context = { ...common, durable: false, usualPorts: false, onSpawn: () => undefined };
  });
  afterAll(() => {
    process.env['PATH'] = path;
    rmSync(folder, { recursive: true });
  });

  it('goes on to the next source, with one line, when the server on the PATH does not run', async () => {
    const broken = join(folder, 'bin/redis-server');
    writeFileSync(broken, '#!/bin/sh\necho "no such library" >&2\nexit 127\n');
    chmodSync(broken, 0o755);
    process.env['PATH'] = [join(folder, 'bin'), path].join(delimiter);
    const server = await startRedis(context, {});
    await server.stop();
    expect(lines[0]).toBe("Redis: not from the PATH: redis didn't start (code 127).");
    expect(lines.at(-1)).toMatch(/^Redis: Debian's package/);
  });

  it('uses the address that is given and starts nothing', async () => {
    const server = await startRedis(context, { REDIS_URL: 'redis://elsewhere:6379' });
    expect(server.url).toBe('redis://elsewhere:6379');
  });
});
