import { parseArgs } from 'node:util';
import { loadEnvironment } from '../config/load-environment.js';
import { AccountSeeder } from '../modules/auth/account-seeder.service.js';
import { TaskSeeder } from '../modules/tasks/seed/task-seeder.service.js';
import { type Outcome, UsageError } from './command.js';
import { startProgressBar } from './progress-bar.js';
import { withApp } from './with-app.js';

const OPTIONS = {
  users: { type: 'string' },
  tasks: { type: 'string' },
  heavy: { type: 'string', default: '0' },
  'in-production': { type: 'boolean', default: false },
} as const;

/** `seed`: users who can log in, and tasks of theirs, for trials and measurements. */
export async function seed(args: string[], source: NodeJS.ProcessEnv): Promise<Outcome> {
  const { values } = parseArgs({ args, options: OPTIONS });
  const [users, tasks, heavy] = [
    toCount('users', values.users),
    toCount('tasks', values.tasks),
    toCount('heavy', values.heavy),
  ];
  if (users === 0) throw new UsageError('--users must be at least 1.');
  if (heavy > tasks) throw new UsageError('--heavy can be at most --tasks.');
  const environment = await loadEnvironment(source);
  if (environment.NODE_ENV === 'production' && !values['in-production']) {
    throw new UsageError('This is production (NODE_ENV): add --in-production to fill it with made-up users and tasks.');
  }
  return await withApp(environment, async (app) => {
    const accounts = startProgressBar('users', users);
    const { ids, password } = await app.get(AccountSeeder, { strict: false }).seed(users, accounts.update);
    accounts.done();
    const progress = startProgressBar('tasks', tasks);
    await app.get(TaskSeeder, { strict: false }).seed({ users: ids, tasks, tasksOfFirstUser: heavy }, progress.update);
    progress.done();
    const names = users === 1 ? 'user-1@seed.example' : `user-1@seed.example to user-${users}@seed.example`;
    return { output: `${names} can log in with the password ${password}` };
  });
}

/** @throws UsageError for anything but a whole number */
function toCount(option: string, value: string | undefined): number {
  if (value === undefined || !/^\d{1,9}$/.test(value)) throw new UsageError(`--${option} must be a whole number.`);
  return Number(value);
}
