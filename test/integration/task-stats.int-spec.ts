import { jest } from '@jest/globals';
import { DateTime } from 'luxon';
import { type Model, Types } from 'mongoose';
import { TaskStatsService } from '../../src/modules/tasks/task-stats.service.js';
import { databaseClock } from '../../src/platform/database/database-clock.js';
import { buildParts, findModel } from '../support/parts.js';

/** What a stored task has to say here; the priority is its position from low to urgent. */
interface Task {
  user: Types.ObjectId;
  title: string;
  status: string;
  priority: number;
  tags: string[];
  dueDate: Date;
  completedAt: Date | null;
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

/** Stored where there is no due date. */
const NO_DUE_DATE = new Date('9999-12-31T23:59:59.999Z');

let tasks: Model<Task>;
let stats: TaskStatsService;
let user: Types.ObjectId;

beforeAll(async () => {
  const app = await buildParts();
  tasks = findModel(app, 'Task');
  stats = app.get(TaskStatsService, { strict: false });
  await findModel<{ timezone: string; profileVersion: number }>(app, 'TaskOwner').collection.insertOne({
    _id: new Types.ObjectId('0123456789abcdef01234567'),
    timezone: 'Asia/Tokyo',
    profileVersion: 2,
  });
});
beforeEach(() => {
  user = new Types.ObjectId();
});
afterEach(() => {
  jest.restoreAllMocks();
});

function setClock(time: string): void {
  jest.spyOn(databaseClock, 'now').mockReturnValue(Date.parse(time));
}

async function store(...rows: Partial<Task>[]): Promise<void> {
  const createdAt = new Date('2026-01-01T00:00:00Z');
  const defaults = { title: 'T', status: 'todo', priority: 1, tags: [], dueDate: NO_DUE_DATE, version: 1 };
  await tasks.collection.insertMany(
    rows.map((row) => ({ ...defaults, user, createdAt, updatedAt: createdAt, ...row })),
  );
}

const completed = (...times: string[]) =>
  store(...times.map((time): Partial<Task> => ({ status: 'done', completedAt: new Date(time) })));
const due = (...times: string[]) => store(...times.map((time): Partial<Task> => ({ dueDate: new Date(time) })));

describe('the statistics', () => {
  it('are zeros where there is nothing', async () => {
    const { completedPerDay, ...rest } = await stats.stats(String(user));
    expect(rest).toEqual({
      total: 0,
      byStatus: { todo: 0, in_progress: 0, done: 0, archived: 0 },
      byPriority: { low: 0, medium: 0, high: 0, urgent: 0 },
      overdue: 0,
      dueToday: 0,
      averageHoursToComplete: null,
    });
    expect(completedPerDay).toHaveLength(30);
    expect(completedPerDay.at(-1)).toEqual({ date: new Date().toISOString().slice(0, 10), count: 0 });
  });

  it('count by status and priority, and leave out what is another’s', async () => {
    await store(
      { status: 'todo', priority: 0 },
      { status: 'todo', priority: 3 },
      { status: 'in_progress' },
      { status: 'archived', priority: 2 },
      { user: new Types.ObjectId() },
    );
    expect(await stats.stats(String(user))).toMatchObject({
      total: 4,
      byStatus: { todo: 2, in_progress: 1, done: 0, archived: 1 },
      byPriority: { low: 1, medium: 1, high: 1, urgent: 1 },
    });
  });

  it('average the hours from creation to completion, of all that was ever completed', async () => {
    const createdAt = new Date('2020-01-01T00:00:00Z');
    const after = (hours: number) => new Date(createdAt.getTime() + hours * 3_600_000);
    await store(
      { createdAt, completedAt: after(1), status: 'done' },
      { createdAt, completedAt: after(2), status: 'archived' },
      { createdAt, completedAt: after(2), status: 'done' },
      { createdAt, completedAt: null },
    );
    expect((await stats.stats(String(user))).averageHoursToComplete).toBe(1.67);
  });

  it('count as overdue what is open and was due before this moment', async () => {
    setClock('2026-06-15T12:00:00Z');
    await due('2026-06-15T11:59:59.999Z', '2026-06-15T12:00:00.001Z', '2020-01-01T00:00:00Z');
    await store(
      { status: 'done', dueDate: new Date('2026-06-15T11:00:00Z'), completedAt: new Date() },
      { status: 'archived', dueDate: new Date('2026-06-15T11:00:00Z') },
      { status: 'in_progress', dueDate: new Date('2026-06-15T11:00:00Z') },
    );
    expect((await stats.stats(String(user))).overdue).toBe(3);
  });

  it.each([
    ['UTC', '2026-06-15T00:00:00.000Z', '2026-06-16T00:00:00.000Z'],
    ['Asia/Kathmandu', '2026-06-14T18:15:00.000Z', '2026-06-15T18:15:00.000Z'],
    ['America/St_Johns', '2026-06-15T02:30:00.000Z', '2026-06-16T02:30:00.000Z'],
    ['Pacific/Kiritimati', '2026-06-15T10:00:00.000Z', '2026-06-16T10:00:00.000Z'],
  ])('count as due today what is open and due within the day of %s', async (timezone, start, end) => {
    setClock('2026-06-15T12:00:00Z');
    const before = (time: string) => new Date(Date.parse(time) - 1).toISOString();
    await due(before(start), start, before(end), end);
    await store({ status: 'done', dueDate: new Date(start), completedAt: new Date() });
    expect((await stats.stats(String(user), timezone)).dueToday).toBe(2);
  });

  it('list the last thirty days, today last, and leave out what was completed before', async () => {
    setClock('2026-06-15T12:00:00Z');
    await completed('2026-05-16T23:59:59.999Z', '2026-05-17T00:00:00Z', '2026-06-15T11:00:00Z', '2026-06-15T00:00:00Z');
    const { completedPerDay } = await stats.stats(String(user));
    expect(completedPerDay).toHaveLength(30);
    expect(completedPerDay.filter(({ count }) => count > 0)).toEqual([
      { date: '2026-05-17', count: 1 },
      { date: '2026-06-15', count: 2 },
    ]);
    expect(completedPerDay.map(({ date }) => date)).toEqual(
      Array.from({ length: 30 }, (_, day) => new Date(Date.UTC(2026, 4, 17 + day)).toISOString().slice(0, 10)),
    );
  });

  it.each([
    // 29 March 2026 has 23 hours in Vienna, from 23:00 to 22:00 UTC.
    [
      'a day of 23 hours',
      'Europe/Vienna',
      '2026-04-05T12:00:00Z',
      '2026-03-29',
      '2026-03-28T23:00:00Z',
      '2026-03-29T22:00:00Z',
    ],
    // 25 October 2026 has 25 hours there, from 22:00 to 23:00 UTC.
    [
      'a day of 25 hours',
      'Europe/Vienna',
      '2026-11-05T12:00:00Z',
      '2026-10-25',
      '2026-10-24T22:00:00Z',
      '2026-10-25T23:00:00Z',
    ],
    // In Chile the clocks go forward at midnight: 6 September 2026 begins at 01:00, which is 04:00 UTC.
    [
      'a day without a midnight',
      'America/Santiago',
      '2026-09-10T12:00:00Z',
      '2026-09-06',
      '2026-09-06T04:00:00Z',
      '2026-09-07T03:00:00Z',
    ],
  ])('put what was completed into the right day around %s', async (_, timezone, now, date, start, end) => {
    setClock(now);
    const before = (time: string) => new Date(Date.parse(time) - 1).toISOString();
    await completed(before(start), start, before(end), end);
    const { completedPerDay } = await stats.stats(String(user), timezone);
    const day = DateTime.fromISO(date);
    expect(completedPerDay.filter(({ count }) => count > 0)).toEqual([
      { date: day.minus({ days: 1 }).toISODate(), count: 1 },
      { date, count: 2 },
      { date: day.plus({ days: 1 }).toISODate(), count: 1 },
    ]);
  });

  it('have thirty different days even where the clocks changed among them', async () => {
    setClock('2026-11-05T00:30:00Z');
    const { completedPerDay } = await stats.stats(String(user), 'America/New_York');
    expect(new Set(completedPerDay.map(({ date }) => date)).size).toBe(30);
    expect(completedPerDay.at(-1)?.date).toBe('2026-11-04');
  });

  it('cost one round trip to the database, the time zone included', async () => {
    await store({});
    const commands: string[] = [];
    const note = ({ commandName }: { commandName: string }) => commands.push(commandName);
    const client = tasks.db.getClient().on('commandStarted', note);
    await stats.stats(String(user));
    client.off('commandStarted', note);
    expect(commands).toEqual(['aggregate']);
  });

  it("use the user's own time zone where none is asked for", async () => {
    setClock('2026-06-15T16:00:00Z');
    const { completedPerDay } = await stats.stats('0123456789abcdef01234567');
    expect(completedPerDay.at(-1)?.date).toBe('2026-06-16');
  });
});
