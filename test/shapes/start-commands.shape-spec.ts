import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, isPortFree } from '../../local/ports.js';
import { isAlive } from '../../local/process-identity.js';
import type { SpawnedProcess } from '../../local/process.js';
import { purposesOf } from '../../src/config/key-purposes.js';
import { MODULES } from '../../src/contracts/modules.js';
import { TASKS, createTask } from '../support/tasks.js';
import { registerUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const PATIENCE_MS = 240_000;
const NEEDED = [
  'package.json',
  'package-lock.json',
  '.env.example',
  'tsconfig.json',
  'tsconfig.build.json',
  'nest-cli.json',
];
const FOLDERS = ['src', 'local', 'scripts', 'docker', 'dist'];

let checkout: string;
let child: ChildProcess | undefined;

/** A checkout of its own: what somebody runs in this one is left alone, and so are its data. */
beforeAll(() => {
  checkout = mkdtempSync(join(tmpdir(), 'scalable-api-test-checkout-'));
  const { status } = spawnSync('cp', ['-a', ...NEEDED, ...FOLDERS, checkout]);
  expect(status).toBe(0);
  symlinkSync(realpathSync('node_modules'), join(checkout, 'node_modules'));
});
afterEach(() => void child?.kill('SIGINT'));
afterAll(() => rmSync(checkout, { recursive: true }));

const recordFile = () => join(checkout, '.local/servers.json');

function environmentOf(pid: number): NodeJS.ProcessEnv {
  const entries = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  const pairs = entries.map((entry): [string, string] => {
    const end = entry.indexOf('=');
    return [entry.slice(0, end), entry.slice(end + 1)];
  });
  return Object.fromEntries(pairs);
}

/** @param keys as in `APP_KEYS`: `<purpose>:<key>`, with commas between them */
function purposesIn(keys: string): (string | undefined)[] {
  return keys === '' ? [] : keys.split(',').map((key) => key.split(':')[0]);
}

async function start(script: string, port: number): Promise<() => string> {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  const [, ...args] = (scripts[script] as string).split(' ');
  const { PATH, HOME } = process.env;
  child = spawn(process.execPath, args, { cwd: checkout, env: { PATH, HOME, PORT: String(port) } });
  let screen = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (screen += text));
  child.stdout?.resume();
  const ended = () => child?.exitCode !== null;
  await waitFor('it to be ready', () => ended() || screen.includes('Ctrl-C stops everything'), PATIENCE_MS);
  if (ended()) throw new Error(screen);
  return () => screen;
}

it.each<[script: string, processes: readonly string[]]>([
  ['start:replicas', ['service-1', 'service-2', 'service-3']],
  ['start:split', MODULES],
])(
  'npm run %s serves by several processes, and Ctrl-C ends all of them',
  async (script, processes) => {
    const port = await freePort();
    const screen = await start(script, port);
    for (const name of processes)
      expect(screen()).toMatch(new RegExp(`Metrics +http://localhost:\\d+/metrics \\(${name}\\)`));

    const service = { url: `http://localhost:${port}` };
    const user = await registerUser(service);
    const { id } = await createTask(user.api, { status: 'done' });
    expect((await user.api.get(`${TASKS}/${id}`)).status).toBe(200);
    await waitFor('the notification', async () => {
      const { body } = await user.api.get<{ count: number }>('/api/v1/notifications/unread-count');
      return body.count === 1;
    });

    const started = JSON.parse(readFileSync(recordFile(), 'utf8')) as SpawnedProcess[];
    expect(started.map(({ name }) => name)).toEqual(expect.arrayContaining([...processes, 'nginx']));
    for (const { name, pid } of started.filter((each) => processes.includes(each.name))) {
      const { APP_SECRETS = '', APP_KEYS = '' } = environmentOf(pid);
      const isSplit = script === 'start:split';
      expect([APP_SECRETS !== '', purposesIn(APP_KEYS)]).toEqual([!isSplit, isSplit ? purposesOf([name]) : []]);
    }
    const exited = once(child as ChildProcess, 'exit');
    child?.kill('SIGINT');
    expect(await exited).toEqual([0, null]);
    expect(started.filter(isAlive)).toEqual([]);
    expect(await isPortFree(port)).toBe(true);
    expect(existsSync(recordFile())).toBe(false);
  },
  2 * PATIENCE_MS,
);
