import { getConnectionToken } from '@nestjs/mongoose';
import type { Connection } from 'mongoose';
import { loadEnvironment } from '../../config/load-environment.js';
import type { Outcome } from '../command.js';
import { withApp } from '../with-app.js';
import { ParkedWork, type WorkSummary } from './parked-work.js';
import { queuesOf } from './queues.js';

async function withWork(source: NodeJS.ProcessEnv, use: (work: ParkedWork) => Promise<Outcome>): Promise<Outcome> {
  const environment = await loadEnvironment(source);
  return await withApp(environment, (app) => {
    const { db } = app.get<Connection>(getConnectionToken(), { strict: false });
    return use(new ParkedWork(db as NonNullable<typeof db>, queuesOf(environment.MODULES)));
  });
}

/** `work list`: what was given up, one a line. */
export async function listWork({ queue, limit }: { queue?: string; limit: number }, source: NodeJS.ProcessEnv) {
  return await withWork(source, async (work) => {
    const data = await work.list(queue, limit);
    return { output: data.map(toLine).join('\n'), data, note: `${data.length} parked.` };
  });
}

/** `work show`: one item, whatever its state. */
export async function showWork(queue: string, id: string, source: NodeJS.ProcessEnv) {
  return await withWork(source, async (work) => {
    const data = await work.show(queue, id);
    return { output: JSON.stringify(data, undefined, 2), data };
  });
}

/** `work retry`: one item, or all parked ones of the queue. */
export async function retryWork(queue: string, id: string | undefined, source: NodeJS.ProcessEnv) {
  return await withWork(source, async (work) => {
    const retried = await work.retry(queue, id);
    return { output: `${retried}`, data: { queue, retried }, note: 'Due at once, with all attempts:' };
  });
}

/** `work drop`: gives one item up for good. */
export async function dropWork(queue: string, id: string, source: NodeJS.ProcessEnv) {
  return await withWork(source, async (work) => {
    await work.drop(queue, id);
    return { output: `${id} of ${queue} was dropped.`, data: { queue, dropped: id } };
  });
}

function toLine({ queue, id, attempts, createdAt, lastError, about }: WorkSummary): string {
  return [queue, id, createdAt.toISOString(), `${attempts} attempts`, JSON.stringify(about), lastError].join('  ');
}
