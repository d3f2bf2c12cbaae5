import { loadEnvironment } from '../config/load-environment.js';
import { IndexSynchronizer } from '../platform/database/index-synchronizer.js';
import type { Outcome } from './command.js';
import { withApp } from './with-app.js';

/** `sync-indexes`: what production does before a rollout, since its processes make none. */
export async function syncIndexes(source: NodeJS.ProcessEnv): Promise<Outcome> {
  await withApp(await loadEnvironment(source), (app) => app.get(IndexSynchronizer, { strict: false }).synchronize());
  return { output: 'All indexes are in place.' };
}
