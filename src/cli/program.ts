import { Command } from 'commander';
import type { Outcome } from './command.js';
import { addKeysCommand } from './keys/keys-command.js';
import { addSeedCommand } from './seed-command.js';
import { addWorkCommand } from './work/work-command.js';

const EXIT_CODES = `
Exit codes: 0 done, 1 not done for the reason on standard error, 2 called in a wrong way,
3 (migrate --check) something that this release needs is missing.`;

/** The commands for operators. Each loads what it needs when it is called: making a key takes no database, nor the time to load what does. */
export function buildProgram(): Command {
  const program = new Command('cli')
    .description("Commands for operators. They run with the environment of the service's processes.")
    .addHelpText('after', EXIT_CODES)
    .exitOverride();
  program
    .command('create-admin')
    .description('make an administrator; the password comes from ADMIN_PASSWORD or from standard input')
    .requiredOption('--name <name>', 'what to call them')
    .requiredOption('--email <address>', 'the address to log in with, which counts as verified')
    .action(async (options: { name: string; email: string }) =>
      show(await (await import('./create-admin.js')).createAdmin(options, process.env)),
    );
  program
    .command('migrate')
    .description('create missing indexes and run pending migrations; before a rollout')
    .option('--contract', 'also run the steps that need the previous release gone', false)
    .option('--check', 'change nothing, and list what is pending', false)
    .option('--json', 'print the result as JSON', false)
    .action(async (options: { contract: boolean; check: boolean; json: boolean }) =>
      show(await (await import('./migrate.js')).migrate(options, process.env), options),
    );
  program
    .command('sync-indexes')
    .description('create missing indexes alone')
    .action(async () => show(await (await import('./sync-indexes.js')).syncIndexes(process.env)));
  program
    .command('shard')
    .description("shard a mongos' database, as far as it isn't sharded yet")
    .option('--check', 'change nothing, and say what is left to do and which hot queries ask every shard', false)
    .action(async (options: { check: boolean }) =>
      show(await (await import('./sharding/shard.js')).shard(options, process.env)),
    );
  program
    .command('reencrypt-secrets')
    .description('encrypt what is stored with the first of APP_SECRETS; before the old one is retired')
    .action(async () => show(await (await import('./reencrypt-secrets.js')).reencryptSecrets(process.env)));
  program
    .command('replay-dead-letters')
    .description('have events that were given up tried again')
    .option('--queue <name>', 'those of this queue alone')
    .option('--json', 'print how many they were, by queue, as JSON', false)
    .action(async (options: { queue?: string; json: boolean }) =>
      show(await (await import('./replay-dead-letters.js')).replayDeadLetters(options, process.env), options),
    );
  addSeedCommand(program, show);
  program
    .command('openapi')
    .description('print the OpenAPI document, for generators of clients; asks no database')
    .action(async () => show(await (await import('./openapi.js')).openApi(process.env)));
  addKeysCommand(program, show);
  addWorkCommand(program, show);
  return program;
}

/** Prints what a command gave, and ends the process once it is written. */
function show({ output, data, note, exitCode = 0 }: Outcome, { json = false } = {}): void {
  if (note) process.stderr.write(`${note}\n`);
  const result = json ? JSON.stringify(data) : output;
  process.stdout.write(result && `${result}\n`, () => process.exit(exitCode));
}
