import { getConnectionToken } from '@nestjs/mongoose';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Connection, type Model, Types } from 'mongoose';
import { InboxService } from '../../src/modules/notifications/inbox.service.js';
import { type ListTasksQueryDto, TASK_SORTS } from '../../src/modules/tasks/dto/task-requests.dto.js';
import { TaskListService } from '../../src/modules/tasks/task-list.service.js';
import { buildParts, findModel } from '../support/parts.js';

/** Any document: what is in it stands where it is made. */
interface Row {
  _id: Types.ObjectId;
  [field: string]: unknown;
}

const STATUSES = ['todo', 'in_progress', 'done', 'archived'];
/** Stored where there is no due date. */
const NO_DUE_DATE = new Date('9999-12-31T23:59:59.999Z');
const ROWS_OF_USER = 4000;
const ROWS_OF_OTHERS = 4000;
const user = new Types.ObjectId();

interface Plan {
  stage?: string;
  inputStage?: Plan;
  inputStages?: Plan[];
}

interface Explanation {
  queryPlanner: { winningPlan: Plan };
  executionStats: { totalDocsExamined: number; nReturned: number };
}

let app: NestFastifyApplication;
let connection: Connection;
let sent: Record<string, unknown>[];

beforeAll(async () => {
  app = await buildParts();
  connection = app.get<Connection>(getConnectionToken());
  connection.getClient().on('commandStarted', ({ commandName, command }) => {
    if (['find', 'aggregate'].includes(commandName)) sent.push(command);
  });
});
beforeEach(() => {
  sent = [];
});

/** Does what the service does, and explains the query that it sent. */
async function explainWhat(work: () => Promise<unknown>): Promise<{ stages: string[]; examined: number }> {
  sent = [];
  await work();
  expect(sent).toHaveLength(1);
  // Without what the driver adds for its session.
  const own = ([name]: [string, unknown]) => !['lsid', '$db', '$clusterTime'].includes(name);
  const command = Object.fromEntries(Object.entries(sent[0] ?? {}).filter(own));
  const explanation = (await connection.db?.command({
    explain: command,
    verbosity: 'executionStats',
  })) as unknown as Explanation;
  const stagesOf = ({ stage = '', inputStage, inputStages = [] }: Plan): string[] => [
    stage,
    ...[inputStage ?? [], inputStages].flat().flatMap(stagesOf),
  ];
  return {
    stages: stagesOf(explanation.queryPlanner.winningPlan),
    examined: explanation.executionStats.totalDocsExamined,
  };
}

/** Rows in batches that one message holds. */
async function insert(model: Model<Row>, count: number, row: (index: number) => object): Promise<void> {
  for (let from = 0; from < count; from += 2000) {
    const rows = Array.from({ length: Math.min(2000, count - from) }, (_, index) => row(from + index));
    await model.collection.insertMany(rows);
  }
}

describe('tasks', () => {
  let tasks: Model<Row>;
  let lists: TaskListService;

  beforeAll(async () => {
    tasks = findModel(app, 'Task');
    lists = app.get(TaskListService, { strict: false });
    await insert(tasks, ROWS_OF_USER + ROWS_OF_OTHERS, (index) => ({
      user: index % 2 ? user : new Types.ObjectId(),
      title: `Task ${index}`,
      description: '',
      status: STATUSES[index % 4],
      priority: index % 4,
      tags: [`tag${index % 10}`],
      dueDate: index % 3 ? new Date(1.8e12 + index * 60_000) : NO_DUE_DATE,
      remindAt: null,
      completedAt: null,
      version: 1,
      createdAt: new Date(1.7e12 + index * 60_000),
      updatedAt: new Date(1.7e12 + index * 60_000),
    }));
  }, 120_000);

  const filters: Record<string, Partial<ListTasksQueryDto>> = {
    'no filter': {},
    'a status': { status: ['todo'] },
    'a priority': { priority: ['high'] },
    'a tag': { tag: ['tag1'] },
    'a due date': { dueAfter: '2027-01-15T08:00:00Z' },
    'a time of creation': { createdAfter: '2023-11-15T00:00:00Z' },
  };
  const cases = TASK_SORTS.flatMap((sort) => Object.keys(filters).map((filter) => [sort, filter] as const));

  it.each(cases)('sorted by %s with %s come from an index, in its order', async (sort, filter) => {
    const query = { limit: 20, sort, ...filters[filter] };
    const { stages, examined } = await explainWhat(() => lists.list(String(user), query));
    expect(stages).toContain('IXSCAN');
    expect(stages).not.toContain('COLLSCAN');
    expect(stages).not.toContain('SORT');
    expect(examined).toBeLessThanOrEqual(2 * query.limit);
  });

  it.each(TASK_SORTS)('sorted by %s cost no more on a page far behind', async (sort) => {
    let { page } = await lists.list(String(user), { limit: 100, sort });
    for (let turn = 0; turn < 10; turn++) {
      ({ page } = await lists.list(String(user), { limit: 100, sort, cursor: page.nextCursor as string }));
    }
    const cursor = page.nextCursor as string;
    const { stages, examined } = await explainWhat(() => lists.list(String(user), { limit: 20, sort, cursor }));
    expect(stages).toContain('IXSCAN');
    expect(stages).not.toContain('COLLSCAN');
    expect(stages).not.toContain('SORT');
    expect(examined).toBeLessThanOrEqual(40);
  });

  it('are read one by one through an index', async () => {
    const task = await tasks.findOne({ user }).lean();
    const { stages, examined } = await explainWhat(() => tasks.findOne({ _id: task?._id, user }).lean());
    expect(stages).not.toContain('COLLSCAN');
    expect(examined).toBeLessThanOrEqual(1);
  });
});

describe('notifications', () => {
  let inbox: InboxService;

  beforeAll(async () => {
    inbox = app.get(InboxService, { strict: false });
    await insert(findModel(app, 'Notification'), ROWS_OF_USER + ROWS_OF_OTHERS, (index) => ({
      user: index % 2 ? user : new Types.ObjectId(),
      event: 'task.completed',
      title: 'Task completed',
      body: 'Done.',
      data: {},
      readAt: index % 10 === 1 ? null : new Date(),
      createdAt: new Date(1.7e12 + index * 60_000),
    }));
  }, 120_000);

  it.each([undefined, true])('come from an index, in its order, where unread is %s', async (unread) => {
    const query = { limit: 20, ...(unread === undefined ? {} : { unread }) };
    const { stages } = await explainWhat(() => inbox.list(String(user), query));
    expect(stages).toContain('IXSCAN');
    expect(stages).not.toContain('COLLSCAN');
    expect(stages).not.toContain('SORT');
  });

  it('are counted through an index where they are unread', async () => {
    const { stages, examined } = await explainWhat(() => inbox.countUnread(String(user)));
    expect(stages).not.toContain('COLLSCAN');
    expect(examined).toBeLessThanOrEqual(ROWS_OF_USER / 5);
  });
});

describe('what every request or every second asks', () => {
  it('finds a session by its id', async () => {
    const sessions = findModel<Row>(app, 'Session');
    const ids = Array.from({ length: 2000 }, () => new Types.ObjectId());
    await insert(sessions, ids.length, (index) => ({ _id: ids[index], user: new Types.ObjectId(), seed: 'x' }));
    const { stages, examined } = await explainWhat(() => sessions.findById(ids[5]).lean());
    expect(stages).not.toContain('COLLSCAN');
    expect(examined).toBeLessThanOrEqual(1);
  });

  it('finds what ended lately', async () => {
    const revocations = findModel<Row>(app, 'Revocation');
    await insert(revocations, 4000, (index) => ({
      kind: 'session',
      subject: String(index),
      at: new Date(Date.now() - index * 900),
    }));
    const { stages, examined } = await explainWhat(() =>
      revocations.find({ at: { $gt: new Date(Date.now() - 30_000) } }).lean(),
    );
    expect(stages).not.toContain('COLLSCAN');
    expect(examined).toBeLessThanOrEqual(100);
  });

  it('finds the alarm that is due next among those that are planned', async () => {
    const alarms = findModel<Row>(app, 'TaskAlarm');
    await insert(alarms, 20_000, (index) => ({
      user: new Types.ObjectId(),
      state: 'ready',
      availableAt: new Date(Date.now() + (index - 10) * 60_000),
      createdAt: new Date(),
    }));
    const { stages, examined } = await explainWhat(() =>
      alarms
        .findOne({ state: 'ready', availableAt: { $lte: new Date() } })
        .sort({ availableAt: 1 })
        .lean(),
    );
    expect(stages).not.toContain('COLLSCAN');
    expect(stages).not.toContain('SORT');
    expect(examined).toBeLessThanOrEqual(15);
  });

  it('finds the work that is due next', async () => {
    const entries = findModel<Row>(app, 'OutboxEntry');
    await insert(entries, 4000, (index) => ({
      state: index % 100 ? 'parked' : 'ready',
      availableAt: new Date(Date.now() - index * 1000),
      createdAt: new Date(),
    }));
    const { stages, examined } = await explainWhat(() =>
      entries
        .findOne({ state: 'ready', availableAt: { $lte: new Date() } })
        .sort({ availableAt: 1 })
        .lean(),
    );
    expect(stages).not.toContain('COLLSCAN');
    expect(stages).not.toContain('SORT');
    expect(examined).toBeLessThanOrEqual(5);
  });
});
