import { parseArgs } from 'node:util';
import { loadEnvironment } from '../config/load-environment.js';
import { DeadLetters } from '../platform/messaging/dead-letters.js';
import { type Outcome, UsageError } from './command.js';
import { withApp } from './with-app.js';

/** `replay-dead-letters`: has what was given up tried again, and tells how many events of each queue that were. */
export async function replayDeadLetters(args: string[], source: NodeJS.ProcessEnv): Promise<Outcome> {
  const environment = await loadEnvironment(source);
  const { values } = parseArgs({ args, options: { queue: { type: 'string' } } });
  return await withApp(environment, async (app) => {
    const deadLetters = app.get(DeadLetters, { strict: false });
    const { queues } = deadLetters;
    if (values.queue !== undefined && !queues.includes(values.queue)) {
      throw new UsageError(`--queue must be one of ${queues.join(', ')}`);
    }
    const lines: string[] = [];
    for (const queue of values.queue === undefined ? queues : [values.queue]) {
      lines.push(`${queue}: ${await deadLetters.replay(queue)}`);
    }
    return { output: lines.join('\n'), note: 'Replayed, by queue:' };
  });
}
