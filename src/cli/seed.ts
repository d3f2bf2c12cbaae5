import { loadEnvironment } from '../config/load-environment.js';
import { AccountSeeder } from '../modules/auth/account.seeder.js';
import { TaskSeeder } from '../modules/tasks/seed/task.seeder.js';
import { type Outcome, UsageError } from './command.js';
import { startProgressBar } from './progress-bar.js';
import { withApp } from './with-app.js';

export interface SeedOptions {
  users: number;
  tasks: number;
  /** How many of the tasks are the first user's. */
  heavy: number;
  inProduction: boolean;
}

/** `seed`: users who can log in, and tasks of theirs, for trials and measurements. */
export async function seed(
  { users, tasks, heavy, inProduction }: SeedOptions,
  source: NodeJS.ProcessEnv,
): Promise<Outcome> {
  if (users === 0) throw new UsageError('--users must be at least 1.');
  if (heavy > tasks) throw new UsageError('--heavy can be at most --tasks.');
  const environment = await loadEnvironment(source);
  if (environment.NODE_ENV === 'production' && !inProduction) {
    throw new UsageError('This is production (NODE_ENV): add --in-production to fill it with made-up users and tasks.');
  }
  return await withApp(
    environment,
    async (app) => {
      const accounts = startProgressBar('users', users);
      const { ids, password } = await app.get(AccountSeeder, { strict: false }).seed(users, accounts.update);
      accounts.done();
      const progress = startProgressBar('tasks', tasks);
      await app
        .get(TaskSeeder, { strict: false })
        .seed({ users: ids, tasks, tasksOfFirstUser: heavy }, progress.update);
      progress.done();
      const names = users === 1 ? 'user-1@seed.example' : `user-1@seed.example to user-${users}@seed.example`;
      return { output: `${names} can log in with the password ${password}` };
    },
    ['auth', 'tasks'],
  );
}
