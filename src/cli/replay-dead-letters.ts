import { loadEnvironment } from '../config/load-environment.js';
import { DeadLetters } from '../platform/messaging/dead-letters.js';
import { type Outcome, UsageError } from './command.js';
import { withApp } from './with-app.js';

/** `replay-dead-letters`: has what was given up tried again, and tells how many events of each queue that were. */
export async function replayDeadLetters(
  { queue: wanted }: { queue?: string },
  source: NodeJS.ProcessEnv,
): Promise<Outcome> {
  const environment = await loadEnvironment(source);
  return await withApp(environment, async (app) => {
    const deadLetters = app.get(DeadLetters, { strict: false });
    const { queues } = deadLetters;
    if (wanted !== undefined && !queues.includes(wanted)) {
      throw new UsageError(`--queue must be one of ${queues.join(', ')}`);
    }
    const data: Record<string, number> = {};
    for (const queue of wanted === undefined ? queues : [wanted]) data[queue] = await deadLetters.replay(queue);
    const lines = Object.entries(data).map(([queue, count]) => `${queue}: ${count}`);
    return { output: lines.join('\n'), data, note: 'Replayed, by queue:' };
  });
}
