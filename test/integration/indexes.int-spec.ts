import { getConnectionToken } from '@nestjs/mongoose';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Connection, type Model, Types } from 'mongoose';
import { InboxService } from '../../src/modules/notifications/inbox.service.js';
import { explain } from '../support/explain.js';
import { buildParts, findModel } from '../support/parts.js';

/** Any document: what is in it stands where it is made. */
interface Row {
  _id: Types.ObjectId;
  [field: string]: unknown;
}

const ROWS_OF_USER = 4000;
const ROWS_OF_OTHERS = 4000;
const user = new Types.ObjectId();

let app: NestFastifyApplication;
let connection: Connection;

beforeAll(async () => {
  app = await buildParts();
  connection = app.get<Connection>(getConnectionToken());
});

/** Does what the service does, and explains the query that it sent. */
async function explainWhat(work: () => Promise<unknown>): Promise<{ stages: string[]; examined: number }> {
  const { queries, stages, documentsExamined } = await explain(connection, work);
  expect(queries).toBe(1);
  return { stages, examined: documentsExamined };
}

/** Rows in batches that one message holds. */
async function insert(model: Model<Row>, count: number, row: (index: number) => object): Promise<void> {
  for (let from = 0; from < count; from += 2000) {
    const rows = Array.from({ length: Math.min(2000, count - from) }, (_, index) => row(from + index));
    await model.collection.insertMany(rows);
  }
}

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
      _id: `session:${index}`,
      kind: 'session',
      subject: String(index),
      at: new Date(),
      recordedAt: new Date(Date.now() - index * 900),
    }));
    const { stages, examined } = await explainWhat(() =>
      revocations.find({ recordedAt: { $gt: new Date(Date.now() - 30_000) } }).lean(),
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
