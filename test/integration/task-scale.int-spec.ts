import { getConnectionToken } from '@nestjs/mongoose';
import { type Connection, Types } from 'mongoose';
import { Cursors } from '../../src/common/pagination/cursor.js';
import { type ListTasksQueryDto, TASK_SORTS } from '../../src/modules/tasks/dto/task-requests.dto.js';
import type { TaskResponseDto } from '../../src/modules/tasks/dto/task-response.dto.js';
import { TaskSeeder } from '../../src/modules/tasks/seed/task.seeder.js';
import { TaskListService } from '../../src/modules/tasks/task-list.service.js';
import { TaskStatsService } from '../../src/modules/tasks/task-stats.service.js';
import { TasksRepository } from '../../src/modules/tasks/tasks.repository.js';
import { explain } from '../support/explain.js';
import { buildParts } from '../support/parts.js';

/** A small copy of what `npm run test:scale` does with a million tasks. */
const isFull = process.env['TEST_SCALE'] === 'full';
const SCALE = isFull
  ? { users: 1000, tasks: 1_000_000, tasksOfFirstUser: 100_000 }
  : { users: 20, tasks: 12_000, tasksOfFirstUser: 10_000 };
const SEED_TIMEOUT_MS = SCALE.tasks * 10;
const LIMIT = 20;
/** One row more is read than shown: it says whether there is more. */
const MOST_EXAMINED = 2 * (LIMIT + 1);
const MOST_RATIO = 1.5;
const MEASUREMENTS = 41;
const ATTEMPTS = 5;
const PRIORITIES = ['low', 'medium', 'high', 'urgent'];
/** Stored where there is no due date. */
const NO_DUE_DATE = '9999-12-31T23:59:59.999Z';

const users = Array.from({ length: SCALE.users }, () => new Types.ObjectId());
const user = String(users[0]);

let connection: Connection;
let cursors: Cursors;
let repository: TasksRepository;
let lists: TaskListService;
let stats: TaskStatsService;

beforeAll(async () => {
  const app = await buildParts();
  connection = app.get<Connection>(getConnectionToken());
  cursors = app.get(Cursors, { strict: false });
  repository = app.get(TasksRepository, { strict: false });
  lists = app.get(TaskListService, { strict: false });
  stats = app.get(TaskStatsService, { strict: false });
  await app.get(TaskSeeder, { strict: false }).seed({ ...SCALE, users }, report);
}, SEED_TIMEOUT_MS);

function report(count: number): void {
  if (count % 100_000 === 0) process.stderr.write(`${count} of ${SCALE.tasks} tasks\n`);
}

type Query = Partial<ListTasksQueryDto>;
type Sort = (typeof TASK_SORTS)[number];

const list = (query: Query) => lists.list(user, { limit: LIMIT, sort: '-createdAt', ...query });
const ago = (days: number) => new Date(Date.now() - days * 24 * 3_600_000).toISOString();
const reverse = (sort: Sort) => (sort.startsWith('-') ? sort.slice(1) : `-${sort}`) as Sort;

/** The cursor that the page before the last one gives; that one is entered at what the reverse list says. */
async function lastCursor(query: Query & { sort: Sort }): Promise<string> {
  const { data } = await list({ ...query, sort: reverse(query.sort), limit: 2 * LIMIT + 1 });
  const { id, createdAt, dueDate, priority } = data[2 * LIMIT] as TaskResponseDto;
  const field = query.sort.replace('-', '') as 'createdAt' | 'dueDate' | 'priority';
  const value = { createdAt, dueDate: dueDate ?? NO_DUE_DATE, priority: PRIORITIES.indexOf(priority) }[field];
  const { page } = await list({ ...query, cursor: cursors.encode(`tasks:${query.sort}`, { value, id }) });
  return page.nextCursor as string;
}

const FILTERS: Record<string, Query> = {
  'no filter': {},
  'a common status': { status: ['done'] },
  'a rare status': { status: ['in_progress'] },
  'two statuses': { status: ['todo', 'in_progress'] },
  'a rare priority': { priority: ['urgent'] },
  'two priorities': { priority: ['low', 'urgent'] },
  'a common tag': { tag: ['work'] },
  'a rare tag': { tag: ['writing'] },
  'a tag that no task has': { tag: ['nowhere'] },
  'two tags': { tag: ['work', 'writing'] },
  'a due date before': { dueBefore: ago(300) },
  'a due date after': { dueAfter: ago(300) },
  'a time of creation': { createdAfter: ago(200) },
};
const cases = TASK_SORTS.flatMap((sort) => Object.keys(FILTERS).map((filter) => [sort, filter] as const));

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;

/** How much longer one takes than the other, both measured in turn, so that whatever else the machine does hits both. */
async function ratio(work: () => Promise<unknown>, base: () => Promise<unknown>): Promise<number> {
  const times: [number[], number[]] = [[], []];
  for (let turn = 0; turn < MEASUREMENTS; turn++) {
    times[0].push(await milliseconds(work));
    times[1].push(await milliseconds(base));
  }
  return median(times[0]) / median(times[1]);
}

describe(`with ${SCALE.tasks} tasks, ${SCALE.tasksOfFirstUser} of them the user's`, () => {
  it.each(cases)('a list sorted by %s with %s is served by an index in its order', async (sort, filter) => {
    const query = { ...FILTERS[filter], sort };
    const hasPages = (await list(query)).page.hasMore;
    for (const cursor of [undefined, ...(hasPages ? [await lastCursor(query)] : [])]) {
      const page = { ...query, ...(cursor !== undefined && { cursor }) };
      const { stages, documentsExamined } = await explain(connection, () => list(page));
      expect(stages).toContain('IXSCAN');
      expect(stages).not.toContain('COLLSCAN');
      expect(stages).not.toContain('SORT');
      expect(documentsExamined).toBeLessThanOrEqual(MOST_EXAMINED);
    }
  });

  it.each(TASK_SORTS)('the last page sorted by %s costs what the first does', async (sort) => {
    const cursor = await lastCursor({ sort });
    expect((await list({ sort, cursor })).page).toEqual({ limit: LIMIT, hasMore: false, nextCursor: null });
    const ratios: number[] = [];
    // The quietest of a few attempts: whatever else runs can only make it worse.
    while (ratios.length < ATTEMPTS && (ratios.at(-1) ?? Infinity) >= MOST_RATIO) {
      ratios.push(
        await ratio(
          () => list({ sort, cursor }),
          () => list({ sort }),
        ),
      );
    }
    if (isFull)
      process.stderr.write(`last page : first page by ${sort}: ${ratios.map((each) => each.toFixed(2)).join(', ')}\n`);
    expect(Math.min(...ratios)).toBeLessThan(MOST_RATIO);
  });

  const combinations: Record<string, Query> = {
    'status and priority': { status: ['todo'], priority: ['high'] },
    'status and tag': { status: ['todo'], tag: ['work'], sort: 'priority' },
    'everything at once': {
      status: ['todo', 'done'],
      priority: ['low', 'medium'],
      tag: ['work', 'home'],
      dueAfter: ago(600),
      createdAfter: ago(500),
      sort: 'dueDate',
    },
    'what nothing matches': { status: ['archived'], dueAfter: ago(-365) },
    'words, newest first': { q: 'review' },
    'words and a status, by priority': { q: 'review plan', status: ['todo'], sort: '-priority' },
    'relevance to a common word': { q: 'review', sort: '-relevance' },
    'relevance to a rare word': { q: 'tromso passport', sort: '-relevance' },
    'relevance with other filters': { q: 'review draft', sort: '-relevance', tag: ['work'], createdAfter: ago(100) },
  };
  it.each(Object.entries(combinations))("%s look at the user's own tasks at most", async (_, query) => {
    const { stages, documentsExamined } = await explain(connection, () => list(query));
    expect(stages).not.toContain('COLLSCAN');
    expect(documentsExamined).toBeLessThanOrEqual(SCALE.tasksOfFirstUser);
  });

  it("statistics look at the user's own tasks at most, in one query", async () => {
    const { queries, stages, documentsExamined } = await explain(connection, () => stats.stats(user));
    expect(queries).toBe(1);
    expect(stages).not.toContain('COLLSCAN');
    // And at the user, for the time zone.
    expect(documentsExamined).toBeLessThanOrEqual(SCALE.tasksOfFirstUser + 1);
  });

  it('a task is found by its id alone', async () => {
    const [first] = (await list({})).data;
    const { documentsExamined } = await explain(connection, () => repository.get(user, String(first?.id)));
    expect(documentsExamined).toBe(1);
  });
});
