import { type Command, UsageError } from './cli/command.js';
import { ProblemError } from './common/errors/problem.js';
import { ConfigurationError } from './config/environment.js';

const USAGE = `Usage: cli <command>

  create-admin --name NAME --email EMAIL   makes an administrator; the password comes from
                                           ADMIN_PASSWORD or from standard input
  migrate [--contract] [--check]           creates missing indexes and runs pending migrations (before a
                                           rollout); --contract also runs those that need the previous
                                           release gone; --check changes nothing, lists what is pending,
                                           and exits with 3 if the release can't serve without it
  sync-indexes                             creates missing indexes alone
  shard [--check]                          shards the database of a mongos, as far as it isn't; --check says
                                           what is left to do, and which hot queries ask every shard
  reencrypt-secrets                        encrypts what is stored with the first of APP_SECRETS (before
                                           the old one is retired)
  replay-dead-letters [--queue NAME]       has events that were given up tried again: those of one queue,
                                           or all
  seed --users N --tasks N [--heavy N]     fills the database for trials; --heavy gives the first user N of
                                           the tasks. Started again, it goes on where it was stopped.
                                           Refuses in production without --in-production
  keys STEP jwt|app-secret [--out FILE]    the keys of JWT_PRIVATE_KEYS or APP_SECRETS; STEP is list,
                                           make, add, promote, retire, public or derive; cli keys explains
                                           them
`;

/** Loaded when called: making a key takes no database, nor the time to load what does. */
const COMMANDS: Record<string, () => Promise<Command>> = {
  'create-admin': async () => (await import('./cli/create-admin.js')).createAdmin,
  migrate: async () => (await import('./cli/migrate.js')).migrate,
  'sync-indexes': async () => (await import('./cli/sync-indexes.js')).syncIndexes,
  shard: async () => (await import('./cli/sharding/shard.js')).shard,
  'reencrypt-secrets': async () => (await import('./cli/reencrypt-secrets.js')).reencryptSecrets,
  'replay-dead-letters': async () => (await import('./cli/replay-dead-letters.js')).replayDeadLetters,
  seed: async () => (await import('./cli/seed.js')).seed,
  keys: async () => (await import('./cli/keys/keys.js')).keys,
};

const [name = '', ...args] = process.argv.slice(2);
const loadCommand = COMMANDS[name];
if (!loadCommand) {
  process.stderr.write(USAGE);
  process.exit(name === '' || name === '--help' ? 0 : 2);
}
try {
  const command = await loadCommand();
  const { output, note, exitCode = 0 } = await command(args, process.env);
  if (note) process.stderr.write(`${note}\n`);
  process.stdout.write(output && `${output}\n`, () => process.exit(exitCode));
} catch (error) {
  const expected =
    error instanceof UsageError ||
    error instanceof ProblemError ||
    error instanceof ConfigurationError ||
    String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS');
  console.error(expected ? (error as Error).message : error);
  process.exit(1);
}
