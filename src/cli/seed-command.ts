import type { Command } from 'commander';
import { toCount } from './arguments.js';
import type { Outcome } from './command.js';
import type { SeedOptions } from './seed.js';

/** Adds the command `seed`. @param show prints what it gave */
export function addSeedCommand(program: Command, show: (outcome: Outcome) => void): void {
  program
    .command('seed')
    .description('fill the database for trials; started again, it goes on where it was stopped')
    .requiredOption('--users <count>', 'how many users, at least 1', toCount)
    .requiredOption('--tasks <count>', 'how many tasks, of all users together', toCount)
    .option('--heavy <count>', 'how many of the tasks the first user has', toCount, 0)
    .option('--in-production', 'also where NODE_ENV is production', false)
    .action(async (options: SeedOptions) => show(await (await import('./seed.js')).seed(options, process.env)));
}
