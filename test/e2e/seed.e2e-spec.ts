import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { databaseOf } from '../support/database.js';
import { runCli, startService, type TestService } from '../support/service.js';
import { TASKS } from '../support/tasks.js';
import { logIn } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const USERS = 5;
const COUNT = 6000;
const SEED = ['seed', '--users', `${USERS}`, '--tasks', `${COUNT}`, '--heavy', '2000'];

let service: TestService;
beforeAll(async () => {
  service = await startService();
});

const countTasks = () => databaseOf(service).collection('tasks').countDocuments();

/** All tasks but for their times, which count from when they were made. */
async function tasksByPlace(): Promise<unknown[]> {
  const fields = { user: 1, title: 1, tags: 1, status: 1 };
  return await databaseOf(service).collection('tasks').find({}).project(fields).sort({ _id: 1 }).toArray();
}

describe('cli seed', () => {
  it('goes on where it was killed, and its users can log in', async () => {
    const child = spawn(process.execPath, [join(process.cwd(), 'dist/cli.js'), ...SEED], {
      env: service.environment,
      stdio: 'ignore',
    });
    await waitFor('the first tasks', async () => (await countTasks()) > 0, 120_000);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const partial = await countTasks();
    expect(partial).toBeLessThan(COUNT);

    const { code, output } = await runCli(service, SEED);
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(await countTasks()).toBe(COUNT);
    expect(output).toContain(`tasks [##############################] 6,000 of 6,000`);
    const before = await tasksByPlace();

    const password = /password (\S+)/.exec(output)?.[1] as string;
    const stats = async (number: number) => {
      const user = await logIn(service, { email: `user-${number}@seed.example`, password });
      return (await user.api.get<{ total: number }>(`${TASKS}/stats`)).body.total;
    };
    const totals = [await stats(1), await stats(2), await stats(3), await stats(4), await stats(5)];
    expect(totals[0]).toBe(2000);
    expect(totals.reduce((sum, total) => sum + total)).toBe(COUNT);
    expect(totals.every((total) => total > 500)).toBe(true);

    const again = await runCli(service, SEED);
    expect(again.code).toBe(0);
    expect(await tasksByPlace()).toEqual(before);
    expect(await databaseOf(service).collection('accounts').countDocuments()).toBe(USERS);
  }, 600_000);

  it.each([
    ['in production', SEED, { NODE_ENV: 'production' }, /--in-production/],
    ['without a number of users', ['seed', '--tasks', '5'], {}, /required option '--users <count>' not specified/],
    ['for nobody', ['seed', '--users', '0', '--tasks', '5'], {}, /--users must be at least 1/],
    [
      'with a broken number',
      ['seed', '--users', '5', '--tasks', '1e6'],
      {},
      /'--tasks <count>' argument '1e6' is invalid. It must be a whole number/,
    ],
    [
      'with more for one user than there are',
      ['seed', '--users', '5', '--tasks', '5', '--heavy', '6'],
      {},
      /--heavy can be/,
    ],
    [
      'in a process that serves a part',
      SEED,
      { MODULES: 'auth', EVENT_BUS: 'rabbitmq', RABBITMQ_URL: 'amqp://localhost' },
      /is for a process that serves auth and tasks/,
      1,
    ],
  ])('refuses %s, in one sentence', async (_, args, environment, message, exitCode = 2) => {
    const before = await countTasks();
    const { code, output } = await runCli(service, args, environment);
    expect(code).toBe(exitCode);
    expect(output.trim()).toMatch(message);
    expect(output.trim().split('\n')).toHaveLength(1);
    expect(await countTasks()).toBe(before);
  });
});
