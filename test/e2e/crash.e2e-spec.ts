import type { ApiResponse } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { allOf } from '../support/pages.js';
import { startService } from '../support/service.js';
import { TASKS, type TaskBody } from '../support/tasks.js';
import { registerUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

interface NotificationBody {
  id: string;
  event: string;
  data: { taskId: string };
}

const WRITERS = 4;
const ROUNDS = 3;
const WRITES_A_ROUND = 15;

it('loses nothing it has acknowledged, and notifies of each completion once, however often it is killed', async () => {
  const service = await startService();
  const { api } = await registerUser(service);
  const created = new Set<string>();
  const completed = new Set<string>();

  /** What a request was answered, sent again while that is 503. */
  const answerOf = async <T>(expected: number, send: () => Promise<ApiResponse<T>>): Promise<T> => {
    const { status, body } = await send();
    if (status === 503) return await answerOf(expected, send);
    if (status !== expected) throw new Error(`${status} instead of ${expected}: ${JSON.stringify(body)}`);
    return body;
  };

  /** Creates tasks and completes them until the connection breaks. */
  const writeUntilDead = async (): Promise<void> => {
    for (;;) {
      const { id } = await answerOf(201, () => api.post<TaskBody>(TASKS, { title: 'Survivor' }));
      created.add(id);
      await answerOf(200, () => api.patch(`${TASKS}/${id}`, { status: 'done' }));
      completed.add(id);
    }
  };

  for (let round = 1; round <= ROUNDS; round++) {
    const goal = completed.size + WRITES_A_ROUND;
    const ends: Error[] = [];
    const writers = Array.from({ length: WRITERS }, () => writeUntilDead().catch((error: Error) => ends.push(error)));
    await waitFor('the stream of writes', () => completed.size >= goal || ends.length === WRITERS, 60_000);
    if (completed.size < goal) throw new Error(`all writers have ended:\n${service.tail}`, { cause: ends[0] });
    await service.kill();
    await Promise.all(writers);
    await service.start();
  }

  // Events whose handling was cut off come due again when their lease has run out: an operator needn't wait for that.
  const outbox = databaseOf(service).collection('outbox');
  await outbox.updateMany({ lease: { $ne: null } }, { $set: { availableAt: new Date(0) } });
  await waitFor('all events to be handled', async () => (await outbox.countDocuments()) === 0, 30_000);

  const tasks = await allOf<TaskBody>(api, TASKS);
  const found = new Map(tasks.map(({ id, status }) => [id, status]));
  expect([...created].filter((id) => !found.has(id))).toEqual([]);
  expect([...completed].filter((id) => found.get(id) !== 'done')).toEqual([]);

  const notifications = await allOf<NotificationBody>(api, '/api/v1/notifications');
  const told = notifications.filter(({ event }) => event === 'task.completed').map(({ data }) => data.taskId);
  // A completion that was committed but not acknowledged is told of as well: once, like every other.
  const done = tasks.filter(({ status }) => status === 'done').map(({ id }) => id);
  expect(told.sort()).toEqual(done.sort());
  expect(completed.size).toBeGreaterThanOrEqual(ROUNDS * WRITES_A_ROUND);
}, 360_000);
