import { loadEnvironment } from '../config/load-environment.js';
import { IndexSynchronizer } from '../platform/database/index-synchronizer.js';
import type { RegisteredMigration } from '../platform/migrations/migration-registry.js';
import { type MigrationProgress, Migrator } from '../platform/migrations/migrator.js';
import type { Outcome } from './command.js';
import { withApp } from './with-app.js';

/** The exit code of `--check` where a required migration or index is missing. */
const EXIT_PENDING = 3;
const PROGRESS_EVERY_MS = 5000;
const CONTRACT_HINT = 'run cli migrate --contract once no instance of the previous release serves';

/** `migrate`: brings the database to what this release needs; `--check` only says what is missing. */
export async function migrate(
  { contract, check }: { contract: boolean; check: boolean },
  source: NodeJS.ProcessEnv,
): Promise<Outcome> {
  return await withApp(await loadEnvironment(source), async (app) => {
    const migrator = app.get(Migrator);
    if (check) return describePending(await migrator.findPending(), await app.get(IndexSynchronizer).findMissing());
    const notice = (message: string) => void process.stderr.write(`${message}\n`);
    const later = await migrator.migrate({ contract, report: progressPrinter(), notice });
    const note = later.length > 0 ? `Left for later: ${idsOf(later)}: ${CONTRACT_HINT}.` : undefined;
    const data = { later: later.map(({ id }) => id) };
    return { output: 'All required migrations and indexes are in place.', data, ...(note && { note }) };
  });
}

function describePending(pending: RegisteredMigration[], indexes: string[]): Outcome {
  const required = pending.filter(({ phase, required }) => required || phase === 'expand');
  const later = pending.filter((migration) => !required.includes(migration));
  const lines = [
    ...indexes.map((name) => `missing index: ${name}`),
    ...required.map(({ id }) => `pending migration: ${id}`),
    ...later.map(({ id }) => `pending contract step: ${id} (${CONTRACT_HINT})`),
  ];
  const isPending = indexes.length + required.length > 0;
  return {
    output: lines.length > 0 ? lines.join('\n') : 'Nothing is pending.',
    data: { missingIndexes: indexes, pending: required.map(({ id }) => id), later: later.map(({ id }) => id) },
    ...(isPending && { exitCode: EXIT_PENDING }),
  };
}

function idsOf(migrations: RegisteredMigration[]): string {
  return migrations.map(({ id }) => id).join(', ');
}

/** Prints a line when a migration ends, and every few seconds while one runs. */
function progressPrinter(): (progress: MigrationProgress) => void {
  let printedAt = Date.now();
  return ({ id, state, changed }) => {
    if (state !== 'completed' && Date.now() - printedAt < PROGRESS_EVERY_MS) return;
    printedAt = Date.now();
    const what = state === 'waiting' ? 'another runner works on it' : state;
    process.stderr.write(`${id}: ${what}, ${changed.toLocaleString('en')} documents changed\n`);
  };
}
