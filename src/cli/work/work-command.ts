import type { Command } from 'commander';
import { toCount } from '../arguments.js';
import { type Outcome, UsageError } from '../command.js';

const EXPLANATION = `
Work is parked when it has failed too often. It is shown without what it carries: no address, text or token.
Dropping an event of the outbox means that what should follow from it never happens.`;

type Show = (outcome: Outcome, options: { json?: boolean }) => void;
interface Json {
  json: boolean;
}

/** Adds `work`, for durable work that was given up. @param show prints what a command gave */
export function addWorkCommand(program: Command, show: Show): void {
  const work = program
    .command('work')
    .description('durable work that was given up: list, show, retry and drop it')
    .addHelpText('after', EXPLANATION);
  const add = (name: string, description: string) =>
    work.command(name).description(description).option('--json', 'print the result as JSON', false);
  add('list', 'list parked items, the oldest of each queue first')
    .option('--queue <name>', 'of this queue alone')
    .option('--limit <count>', 'of each queue at most so many', toCount, 50)
    .action(async (options: Json & { queue?: string; limit: number }) =>
      show(await (await import('./work.js')).listWork(options, process.env), options),
    );
  add('show <queue> <id>', 'show one item').action(async (queue: string, id: string, options: Json) =>
    show(await (await import('./work.js')).showWork(queue, id, process.env), options),
  );
  add('retry <queue> [id]', 'make a parked item due at once')
    .option('--all', 'all parked items of the queue', false)
    .action(async (queue: string, id: string | undefined, options: Json & { all: boolean }) => {
      if ((id === undefined) !== options.all) throw new UsageError('Name one item by its id, or all with --all.');
      show(await (await import('./work.js')).retryWork(queue, id, process.env), options);
    });
  add('drop <queue> <id>', 'give a parked item up for good').action(async (queue: string, id: string, options: Json) =>
    show(await (await import('./work.js')).dropWork(queue, id, process.env), options),
  );
}
