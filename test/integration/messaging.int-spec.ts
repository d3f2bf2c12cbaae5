import { Injectable, Logger, Module } from '@nestjs/common';
import { getConnectionToken, getModelToken } from '@nestjs/mongoose';
import { Test, type TestingModule } from '@nestjs/testing';
import type { ClientSession, Connection, Model } from 'mongoose';
import { register } from 'prom-client';
import { ConfigModule } from '../../src/config/config.module.js';
import { type CloudEvent, DomainEvent } from '../../src/contracts/event.js';
import { DatabaseModule } from '../../src/platform/database/database.module.js';
import { IndexSynchronizer } from '../../src/platform/database/index-synchronizer.js';
import { Transactions } from '../../src/platform/database/transactions.js';
import { DeadLetters } from '../../src/platform/messaging/dead-letters.js';
import { EventBus } from '../../src/platform/messaging/event-bus.js';
import type { EventConsumer } from '../../src/platform/messaging/event-consumer.js';
import { EventDispatcher } from '../../src/platform/messaging/event-dispatcher.js';
import { EventHandler, type EventOf } from '../../src/platform/messaging/event-handler.decorator.js';
import { InProcessBus } from '../../src/platform/messaging/in-process-bus.js';
import { MessagingModule } from '../../src/platform/messaging/messaging.module.js';
import { Outbox } from '../../src/platform/messaging/outbox.js';
import { OutboxRelay } from '../../src/platform/messaging/outbox-relay.js';
import { OutboxEntry } from '../../src/platform/messaging/outbox.schema.js';
import { WorkModule } from '../../src/platform/work/work.module.js';
import { newEnvironment } from '../support/parts.js';
import { quickest } from '../support/quickest.js';
import { waitFor } from '../support/wait-for.js';

class ThingHappenedEvent extends DomainEvent<{ name: string }> {
  static readonly type = 'things.thing-happened.v1';
}

/** What the next release publishes, and this one doesn't know. */
class ThingSplitEvent extends DomainEvent<{ name: string }> {
  static readonly type = 'things.thing-split.v1';
}

/** No listener has a handler for it. */
class ThingIgnoredEvent extends DomainEvent<object> {
  static readonly type = 'things.thing-ignored.v1';
}

/** Twenty attempts, as in production, within milliseconds. */
class QuickBus extends InProcessBus {
  override readonly retryPolicy = { maxAttempts: 20, maxBackoffMs: 5 };
}

/** Events by name that a listener has seen, and how often it is to fail for one. */
class Recorder {
  readonly seen: string[] = [];
  readonly failures = new Map<string, number>();

  record(name: string): void {
    this.seen.push(name);
    const left = this.failures.get(name) ?? 0;
    this.failures.set(name, left - 1);
    if (left > 0) throw new Error(`not yet: ${name}`);
  }

  countOf(name: string): number {
    return this.seen.filter((each) => each === name).length;
  }
}

@Injectable()
class SteadyListener extends Recorder {
  readonly envelopes: EventOf<ThingHappenedEvent>[] = [];

  @EventHandler(ThingHappenedEvent)
  async onThingHappened(event: EventOf<ThingHappenedEvent>, _session: ClientSession): Promise<void> {
    this.envelopes.push(event);
    this.record(event.data.name);
  }
}

@Injectable()
class FlakyListener extends Recorder {
  notes?: (name: string, session: ClientSession) => Promise<void>;
  mostAtOnce = 0;
  private active = 0;

  @EventHandler(ThingHappenedEvent)
  async onThingHappened({ data }: EventOf<ThingHappenedEvent>, session: ClientSession): Promise<void> {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.active);
    await this.notes?.(data.name, session).finally(() => this.active--);
    this.record(data.name);
  }
}

@Module({ providers: [SteadyListener, FlakyListener] })
class ListenersModule {}

/** Of the next release: a consumer more, and a handler of the new type. */
@Injectable()
class NextListener extends Recorder {
  @EventHandler(ThingHappenedEvent)
  async onThingHappened({ data }: EventOf<ThingHappenedEvent>, _session: ClientSession): Promise<void> {
    this.record(data.name);
  }

  @EventHandler(ThingSplitEvent)
  async onThingSplit({ data }: EventOf<ThingSplitEvent>, _session: ClientSession): Promise<void> {
    this.record(data.name);
  }
}

@Module({ providers: [NextListener] })
class NextModule {}

let module: TestingModule;
let connection: Connection;
let outbox: Outbox;
let transactions: Transactions;
let steady: SteadyListener;
let flaky: FlakyListener;

const environment = newEnvironment();
const CONSUMERS = [{ name: 'things', listeners: ListenersModule, served: true }];
const NEXT_CONSUMERS = [...CONSUMERS, { name: 'audit', listeners: NextModule, served: true }];

const processes: TestingModule[] = [];

async function newProcess(consumers: EventConsumer[]): Promise<TestingModule> {
  const built = await Test.createTestingModule({
    imports: [
      ConfigModule.forRoot(environment),
      DatabaseModule,
      MessagingModule.forRoot(environment, consumers, []),
      ...consumers.map(({ listeners }) => listeners),
      WorkModule.forRoot(['outbox', 'recurring-jobs'].map((queue) => ({ queue, declaredBy: 'This test' }))),
    ],
  })
    .overrideProvider(EventBus)
    .useClass(QuickBus)
    .compile();
  Logger.overrideLogger(false);
  processes.push(built);
  return built;
}

beforeAll(async () => {
  module = await newProcess(CONSUMERS);
  await module.get(IndexSynchronizer).synchronize();
  await module.init();
  connection = module.get<Connection>(getConnectionToken());
  [outbox, transactions] = [module.get(Outbox), module.get(Transactions)];
  [steady, flaky] = [module.get(SteadyListener), module.get(FlakyListener)];
  await connection.createCollection('notes');
  flaky.notes = async (name, session) => {
    await connection.collection<{ name: string }>('notes').insertOne({ name }, { session });
  };
});
afterAll(() => Promise.all(processes.map((each) => each.close())));

const publish = (...names: string[]) =>
  transactions.run((session) =>
    outbox.add(
      names.map((name) => new ThingHappenedEvent('1', { name })),
      session,
    ),
  );

const isEmpty = async () => (await connection.collection('outbox').countDocuments({ state: 'ready' })) === 0;

describe('the outbox', () => {
  it('publishes an event to every handler, as a CloudEvents envelope, and forgets it', async () => {
    await publish('first');
    await waitFor('the event to be gone', isEmpty);
    expect([steady.countOf('first'), flaky.countOf('first')]).toEqual([1, 1]);
    expect(steady.envelopes.find(({ data }) => data.name === 'first')).toEqual({
      specversion: '1.0',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      source: '/things',
      type: 'things.thing-happened.v1',
      subject: '1',
      time: expect.stringMatching(/Z$/) as string,
      datacontenttype: 'application/json',
      data: { name: 'first' },
    });
  });

  it('delivers in milliseconds: the commit itself wakes the relay', async () => {
    await publish('warm-up');
    await waitFor('the event to be gone', isEmpty);
    let published = 0;
    const elapsed = await quickest(700, async () => {
      await publish('prompt');
      published += 1;
      const committedAt = Date.now();
      await waitFor('the event to be handled', () => steady.countOf('prompt') === published);
      return Date.now() - committedAt;
    });
    // The poll alone would take from 750 to 1250 ms.
    expect(elapsed).toBeLessThan(700);
  });

  it('publishes nothing of a transaction that is rolled back', async () => {
    const failing = transactions.run(async (session) => {
      await outbox.add([new ThingHappenedEvent('1', { name: 'undone' })], session);
      throw new Error('on second thoughts');
    });
    await expect(failing).rejects.toThrow('on second thoughts');
    await publish('marker');
    await waitFor('the marker to be gone', isEmpty);
    expect([steady.countOf('marker'), steady.countOf('undone')]).toEqual([1, 0]);
    expect(await connection.collection('outbox').countDocuments()).toBe(0);
  });

  it('stores nothing of an event that reaches nobody, and the others of the transaction', async () => {
    const types = await transactions.run(async (session) => {
      await outbox.add([new ThingIgnoredEvent('1', {}), new ThingHappenedEvent('1', { name: 'heard' })], session);
      await outbox.add([new ThingIgnoredEvent('1', {})], session);
      const stored = await connection.collection<OutboxEntry>('outbox').find({}, { session }).toArray();
      return stored.map(({ event }) => event.type);
    });
    expect(types).toEqual([ThingHappenedEvent.type]);
    await waitFor('the event to be gone', isEmpty);
    expect(steady.countOf('heard')).toBe(1);
  });

  it('repeats for a handler that failed, without repeating the others, and undoes what it had begun', async () => {
    flaky.failures.set('retried', 2);
    await publish('retried');
    await waitFor('the event to be gone', isEmpty);
    expect([steady.countOf('retried'), flaky.countOf('retried')]).toEqual([1, 3]);
    expect(await connection.collection('notes').countDocuments({ name: 'retried' })).toBe(1);
  });

  it('goes on with other events while one fails', async () => {
    flaky.failures.set('stuck', 3);
    await publish('stuck');
    await publish('unhindered');
    await waitFor('the other event to be handled', () => flaky.countOf('unhindered') === 1);
    await waitFor('both to be gone', isEmpty);
    expect(flaky.countOf('stuck')).toBe(4);
  });

  it('handles the event of another user before the rest of a burst', async () => {
    const burst = Array.from({ length: 200 }, () => new ThingHappenedEvent('busy', { name: 'burst' }));
    await transactions.run((session) => outbox.add(burst, session));
    await transactions.run((session) => outbox.add([new ThingHappenedEvent('quiet', { name: 'single' })], session));
    await waitFor('all to be gone', isEmpty, 60_000);
    const order = steady.envelopes.map(({ data }) => data.name).filter((name) => ['burst', 'single'].includes(name));
    expect(order).toHaveLength(201);
    // Some were under way before it was published.
    expect(order.indexOf('single')).toBeLessThan(100);
  });

  it('handles the events of a burst one after the other', async () => {
    flaky.mostAtOnce = 0;
    await publish(...Array.from({ length: 20 }, () => 'in turn'));
    await waitFor('all to be gone', isEmpty);
    expect([flaky.countOf('in turn'), flaky.mostAtOnce]).toEqual([20, 1]);
  });

  it('forgets what is parked once its person has been erased, but not what has people erased', async () => {
    const entries = module.get<Model<OutboxEntry>>(getModelToken(OutboxEntry.name));
    const parked = (event: CloudEvent) => entries.create({ event, state: 'parked' });
    const about = (userId: string) => ({ ...envelopeOf(userId), data: { userId } });
    await Promise.all([
      parked(about('gone')),
      parked({ ...envelopeOf('gone'), subject: 'gone' }),
      parked({ ...envelopeOf('gone'), subject: 'gone', type: 'users.user-deleted.v1' }),
      parked(about('here')),
    ]);
    expect(await module.get(DeadLetters).removeErased((userId) => Promise.resolve(userId === 'gone'))).toBe(2);
    const left = await entries.find({ state: 'parked' }).sort({ _id: 1 }).lean();
    expect(left.map(({ event }) => [event.type, event.id]).sort()).toEqual([
      [ThingHappenedEvent.type, 'event of here'],
      ['users.user-deleted.v1', 'event of gone'],
    ]);
    await entries.deleteMany({ state: 'parked' });
  });

  it('parks an event that failed for the twentieth time, and says why', async () => {
    flaky.failures.set('hopeless', Infinity);
    const entries = module.get<Model<OutboxEntry>>(getModelToken(OutboxEntry.name));
    const event = envelopeOf('hopeless');
    await entries.create({ event, attempts: 19 });
    const parked = await waitFor('the event to be parked', () => entries.findOne({ state: 'parked' }).lean());
    expect(parked).toMatchObject({ attempts: 20, lease: null });
    expect(parked.lastError).toContain('not yet: hopeless');
    expect(await module.get(DeadLetters).replay('outbox')).toBe(1);
    flaky.failures.set('hopeless', 0);
    await waitFor('it to be handled once replayed', isEmpty);
    expect(await connection.collection('notes').countDocuments({ name: 'hopeless' })).toBe(1);
  });

  it('parks a poisoned event after its last attempt, handles the others meanwhile, and replays it', async () => {
    flaky.failures.set('poisoned', Infinity);
    const good = (part: string) => Array.from({ length: 10 }, (_, number) => `good ${part} ${number}`);
    await publish(...good('before'), 'poisoned', ...good('after'));
    const entries = module.get<Model<OutboxEntry>>(getModelToken(OutboxEntry.name));
    const parked = await waitFor('it to be parked', () => {
      module.get(OutboxRelay).nudge();
      return entries.findOne({ state: 'parked' }).lean();
    });
    expect([parked.attempts, flaky.countOf('poisoned'), steady.countOf('poisoned')]).toEqual([20, 20, 1]);
    await waitFor('the others to be gone', isEmpty);
    const handled = [...good('before'), ...good('after')].map((name) => [flaky.countOf(name), steady.countOf(name)]);
    expect(handled).toEqual(Array.from({ length: 20 }, () => [1, 1]));
    flaky.failures.set('poisoned', 0);
    expect(await module.get(DeadLetters).replay('outbox')).toBe(1);
    await waitFor('it to be handled once replayed', isEmpty);
    expect([flaky.countOf('poisoned'), steady.countOf('poisoned')]).toEqual([21, 1]);
  });
});

describe('an event of which this release knows only a part', () => {
  const entries = () => module.get<Model<OutboxEntry>>(getModelToken(OutboxEntry.name));
  const store = (name: string, type: string, more: object = {}) =>
    entries().create({ event: { ...envelopeOf(name), type }, ...more });
  const left = (name: string) =>
    entries()
      .findOne({ 'event.data.name': name, timesLeft: { $gte: 1 } })
      .lean();

  it('waits for processes of the release that knows all of it, is parked in the end, and can be replayed', async () => {
    await store('new type', ThingSplitEvent.type);
    await store('new consumer', ThingHappenedEvent.type, { consumers: ['things', 'audit'] });
    await store('known', ThingHappenedEvent.type, { consumers: ['things'] });
    await store('given up', ThingSplitEvent.type, { timesLeft: 19 });
    for (const name of ['new type', 'new consumer']) {
      expect(await waitFor(`${name} to be left`, () => left(name))).toMatchObject({ state: 'ready', attempts: 0 });
    }
    await waitFor('the known one to be gone', async () => (await entries().countDocuments()) === 3);
    expect(steady.countOf('new consumer')).toBe(1);
    const parked = await waitFor('one to be parked', () => entries().findOne({ state: 'parked' }).lean());
    expect(parked.lastError).toContain(`doesn't know the type ${ThingSplitEvent.type}`);
    expect(await register.getSingleMetricAsString('work_depth')).toMatch(/queue="outbox",state="parked"\} 1$/m);

    register.clear(); // two processes' metrics in one
    const next = await newProcess(NEXT_CONSUMERS);
    await next.init();
    const seen = next.get(NextListener);
    expect(await module.get(DeadLetters).replay('outbox')).toBe(1);
    await waitFor('all to be gone', async () => (await entries().countDocuments()) === 0, 90_000);
    const names = ['new type', 'new consumer', 'given up', 'known'];
    expect(names.map((name) => seen.countOf(name))).toEqual([1, 1, 1, 0]);
    expect(steady.countOf('new consumer')).toBe(1);

    // What the new release stores reaches all of its consumers, whichever process takes it.
    const published = Array.from({ length: 20 }, (_, number) => `of the new release ${number}`);
    const events = published.flatMap((name) => [
      new ThingHappenedEvent('1', { name }),
      new ThingSplitEvent('1', { name }),
    ]);
    await next.get(Transactions).run((session) => next.get(Outbox).add(events, session));
    // The process of this release takes some of them first, several times in a row even, and leaves each for a while.
    await waitFor('all to be gone', async () => (await entries().countDocuments()) === 0, 120_000);
    expect(published.map((name) => seen.countOf(name))).toEqual(published.map(() => 2));
  }, 240_000);
});

describe('a repeated delivery', () => {
  it('is taken in once by each handler', async () => {
    const event = envelopeOf('twice');
    const dispatcher = module.get(EventDispatcher);
    await dispatcher.dispatch(event);
    await dispatcher.dispatch(event);
    expect([steady.countOf('twice'), flaky.countOf('twice')]).toEqual([1, 1]);
  });

  it('is taken in once in effect, even at the same time', async () => {
    const event = envelopeOf('at once');
    const dispatcher = module.get(EventDispatcher);
    await Promise.allSettled(Array.from({ length: 5 }, () => dispatcher.dispatch(event)));
    await dispatcher.dispatch(event);
    expect(await connection.collection('notes').countDocuments({ name: 'at once' })).toBe(1);
  });
});

it('lets an event pass that nobody listens to', async () => {
  await module.get(EventDispatcher).dispatch({ ...envelopeOf('ignored'), type: 'things.nobody-cares.v1' });
  expect(steady.countOf('ignored')).toBe(0);
});

function envelopeOf(name: string): CloudEvent {
  return {
    specversion: '1.0',
    id: `event of ${name}`,
    source: '/things',
    type: ThingHappenedEvent.type,
    subject: '1',
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data: { name },
  };
}
