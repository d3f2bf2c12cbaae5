import type { PageOf } from '../support/api-client.js';
import { startService, type TestService } from '../support/service.js';
import { TASKS, type TaskBody } from '../support/tasks.js';
import { registerUser, type TestUser } from '../support/users.js';

/** A small copy of what `npm run test:scale` does with ten thousand. */
const COUNT = process.env['TEST_SCALE'] === 'full' ? 10_000 : 2500;
const BULK = 100;
const MOVING = 30;
const TOUCHED = 330;
const PRIORITIES = ['low', 'medium', 'high', 'urgent'];
const DUE = [null, null, '2031-01-01T00:00:00.000Z', '2031-01-02T00:00:00.000Z', '2031-01-03T00:00:00.000Z'];

let service: TestService;
let user: TestUser;
let tasks: TaskBody[];

type Operation = { op: string; id?: string | undefined; task?: object; changes?: object };

async function bulk(operations: Operation[]): Promise<{ status: number; id: string; task: TaskBody }[]> {
  const path = `${TASKS}/bulk`;
  const { status, body } = await user.api.post<{ results: { status: number; id: string; task: TaskBody }[] }>(path, {
    operations,
  });
  expect(status).toBe(200);
  return body.results;
}

const fieldsOf = (index: number) => ({
  title: index % 3 ? 'steady walnut' : 'steady walnut almond',
  priority: PRIORITIES[index % 4],
  dueDate: DUE[index % 5],
});

beforeAll(async () => {
  service = await startService();
  user = await registerUser(service);
  tasks = [];
  for (let from = 0; from < COUNT; from += BULK) {
    const operations = Array.from({ length: BULK }, (_, index) => ({ op: 'create', task: fieldsOf(from + index) }));
    tasks.push(...(await bulk(operations)).map(({ task }) => task));
  }
}, 600_000);

const touched = new Set<string>();

/** The ids of those that nothing was done to yet, from all over the list; the first of them are about to be touched. */
function takeMixed(isInList: (task: TaskBody) => boolean): string[] {
  const ids = tasks.filter((task) => isInList(task) && !touched.has(task.id)).map(({ id }) => id);
  const mixed = ids.map((id, index) => ({ id, place: (index * 7919) % ids.length })).sort((a, b) => a.place - b.place);
  mixed.slice(0, TOUCHED).forEach(({ id }) => touched.add(id));
  return mixed.map(({ id }) => id);
}

/** Writes until it is told to stop: new tasks everywhere in the order, some that move in it, some that go. */
async function disturb(isOver: () => boolean, moving: string[], leaving: string[]): Promise<number> {
  let rounds = 0;
  for (; !isOver(); rounds++) {
    const created = await bulk([
      ...Array.from({ length: 8 }, (_, index) => ({ op: 'create', task: fieldsOf(rounds + index) })),
      ...[rounds, rounds + 1, rounds + 2].map((index) => ({
        op: 'update',
        id: moving[index % moving.length],
        changes: { ...fieldsOf(index * 7 + rounds), title: `moved ${rounds}` },
      })),
      { op: 'delete', id: leaving[rounds] ?? leaving[0] },
    ]);
    const passing = created.slice(0, 4).map(({ id }) => ({ op: 'delete', id }));
    await bulk(passing);
  }
  return rounds;
}

describe(`paging through ${COUNT} tasks while others are written`, () => {
  const lists = ['createdAt', '-createdAt', 'dueDate', '-dueDate', 'priority', '-priority', '-relevance&q=almond'];

  it.each(lists)(
    'sorted by %s never repeats or skips one that stays as it is',
    async (sort) => {
      const untouched = takeMixed(({ title }) => !sort.includes('q=') || title.includes('almond'));
      const moving = untouched.slice(0, MOVING);
      const leaving = untouched.slice(MOVING, TOUCHED);
      const steady = new Set(untouched.slice(TOUCHED));
      let isOver = false;
      const disturbance = disturb(() => isOver, moving, leaving);
      const seen: string[] = [];
      let cursor = '';
      try {
        do {
          const { status, body } = await user.api.get<PageOf<TaskBody>>(`${TASKS}?sort=${sort}&limit=100${cursor}`);
          expect(status).toBe(200);
          seen.push(...body.data.map(({ id }) => id));
          cursor = body.page.nextCursor === null ? '' : `&cursor=${encodeURIComponent(body.page.nextCursor)}`;
        } while (cursor !== '');
      } finally {
        isOver = true;
      }
      expect(await disturbance).toBeGreaterThan(0);
      const counts = new Map<string, number>();
      for (const id of seen) if (steady.has(id)) counts.set(id, (counts.get(id) ?? 0) + 1);
      expect([...counts.values()].filter((count) => count > 1)).toEqual([]);
      expect(counts.size).toBe(steady.size);
    },
    120_000,
  );
});
