import { jest } from '@jest/globals';
import { Injectable, Logger, Module } from '@nestjs/common';
import { getConnectionToken } from '@nestjs/mongoose';
import { Test, type TestingModule } from '@nestjs/testing';
import { type ChannelModel, connect as connectToBroker, type ConfirmChannel } from 'amqplib';
import type { ClientSession, Connection } from 'mongoose';
import { register } from 'prom-client';
import { ConfigModule } from '../../src/config/config.module.js';
import { type CloudEvent, DomainEvent } from '../../src/contracts/event.js';
import { DatabaseModule } from '../../src/platform/database/database.module.js';
import { IndexSynchronizer } from '../../src/platform/database/index-synchronizer.js';
import { Transactions } from '../../src/platform/database/transactions.js';
import { DeadLetters } from '../../src/platform/messaging/dead-letters.js';
import { EventBus } from '../../src/platform/messaging/event-bus.js';
import { EventHandler, type EventOf } from '../../src/platform/messaging/event-handler.decorator.js';
import { MessagingModule } from '../../src/platform/messaging/messaging.module.js';
import { Outbox } from '../../src/platform/messaging/outbox.js';
import type { RabbitMqBus } from '../../src/platform/messaging/rabbitmq/rabbitmq-bus.js';
import { RabbitMqConnections } from '../../src/platform/messaging/rabbitmq/rabbitmq-connections.js';
import { TopologyWatch } from '../../src/platform/messaging/rabbitmq/topology-watch.js';
import { WorkModule } from '../../src/platform/work/work.module.js';
import { newEnvironment } from '../support/parts.js';
import { type OwnRabbitMq, startOwnRabbitMq } from '../support/rabbitmq.js';
import { waitFor } from '../support/wait-for.js';

/** Some tests wait several times, each time longer than the usual limit at most. */
jest.setTimeout(180_000);

class ThingHappenedEvent extends DomainEvent<{ name: string }> {
  static readonly type = 'things.thing-happened.v1';
}

/** An event with a single consumer. */
class ThingStoredEvent extends DomainEvent<{ name: string }> {
  static readonly type = 'things.thing-stored.v1';
}

/** An event that no consumer has a handler for. */
class ThingIgnoredEvent extends DomainEvent<{ name: string }> {
  static readonly type = 'things.thing-ignored.v1';
}

/** What the handlers of all processes here have stored, and for which names they are to fail, or to fail once. */
const failing = new Set<string>();
const tried: string[] = [];
/** What handlers wait for before they begin. */
let gate: Promise<void> = Promise.resolve();

async function store(name: string, by: string, session: ClientSession, connection: Connection): Promise<void> {
  await gate;
  tried.push(`${name} by ${by}`);
  await connection.collection('notes').insertOne({ name, by }, { session });
  if (failing.has(name)) throw new Error(`not yet: ${name}`);
}

@Injectable()
class StoreListener {
  connection?: Connection;

  @EventHandler(ThingHappenedEvent)
  async onThingHappened({ data }: EventOf<ThingHappenedEvent>, session: ClientSession): Promise<void> {
    await store(data.name, 'store', session, this.connection as Connection);
  }

  @EventHandler(ThingStoredEvent)
  async onThingStored({ data }: EventOf<ThingStoredEvent>, session: ClientSession): Promise<void> {
    await store(data.name, 'store', session, this.connection as Connection);
  }
}

@Injectable()
class OtherListener {
  connection?: Connection;

  @EventHandler(ThingHappenedEvent)
  async onThingHappened({ data }: EventOf<ThingHappenedEvent>, session: ClientSession): Promise<void> {
    await store(data.name, 'other', session, this.connection as Connection);
  }
}

@Module({ providers: [StoreListener] })
class StoreModule {}
@Module({ providers: [OtherListener] })
class OtherModule {}
const MODULES = { store: StoreModule, other: OtherModule };

/** The messaging of a process that serves these modules. */
async function startProcess(served: (keyof typeof MODULES)[], url = broker.url): Promise<TestingModule> {
  register.clear(); // several processes' metrics in one
  const environment = newEnvironment({ EVENT_BUS: 'rabbitmq', RABBITMQ_URL: url });
  const consumers = Object.entries(MODULES).map(([name, listeners]) => ({
    name,
    listeners,
    served: served.some((each) => each === name),
  }));
  const module = await Test.createTestingModule({
    imports: [
      ConfigModule.forRoot(environment),
      DatabaseModule,
      MessagingModule.forRoot(environment, consumers, []),
      ...served.map((name) => MODULES[name]),
      WorkModule.forRoot(['outbox', 'recurring-jobs'].map((queue) => ({ queue, declaredBy: 'This test' }))),
    ],
  }).compile();
  module.useLogger(false);
  await module.get(IndexSynchronizer).synchronize();
  const connection = module.get<Connection>(getConnectionToken());
  await connection.createCollection('notes');
  if (served.includes('store')) module.get(StoreListener, { strict: false }).connection = connection;
  if (served.includes('other')) module.get(OtherListener, { strict: false }).connection = connection;
  await module.init();
  return module;
}

let broker: OwnRabbitMq;
let publisher: TestingModule;
let consumer: TestingModule;
let otherConsumer: TestingModule;
let control: ChannelModel;
let channel: ConfirmChannel;

/** A connection of the test's own, to see and do what a broker's operator can. */
async function takeControl(): Promise<void> {
  control = await connectToBroker(broker.url);
  control.on('error', () => undefined);
  channel = await control.createConfirmChannel();
  channel.on('error', () => undefined);
}

beforeAll(async () => {
  Logger.overrideLogger(false);
  broker = await startOwnRabbitMq();
  publisher = await startProcess([]);
  await takeControl();
});
afterAll(async () => {
  for (const module of [publisher, consumer, otherConsumer]) await module?.close();
  await control.close().catch(() => undefined);
});

const databaseOf = (module: TestingModule) => module.get<Connection>(getConnectionToken());
const publishBy = (module: TestingModule, ...events: DomainEvent[]) =>
  module.get(Transactions).run((session) => module.get(Outbox).add(events, session));
const publishEvents = (...events: DomainEvent[]) => publishBy(publisher, ...events);
const publish = (...names: string[]) => publishEvents(...names.map((name) => new ThingHappenedEvent(name, { name })));
const outboxIsEmpty = async () => (await databaseOf(publisher).collection('outbox').countDocuments()) === 0;
const notesOf = async (module: TestingModule, name: string) =>
  await databaseOf(module).collection('notes').countDocuments({ name });
const depthOf = async (queue: string) => (await channel.checkQueue(queue)).messageCount;

it('keeps events for modules whose process has never run', async () => {
  await publish('early');
  await waitFor('the relay to have published', outboxIsEmpty);
  await waitFor('both queues to have it', async () => {
    return (await depthOf('scalable-api.store')) === 1 && (await depthOf('scalable-api.other')) === 1;
  });
  consumer = await startProcess(['store']);
  otherConsumer = await startProcess(['other']);
  await waitFor(
    'both to have it',
    async () => (await notesOf(consumer, 'early')) + (await notesOf(otherConsumer, 'early')) === 2,
  );
  expect(await depthOf('scalable-api.store')).toBe(0);
});

it('publishes CloudEvents, persistent, one to each queue', async () => {
  await channel.assertQueue('spy', { exclusive: true });
  await channel.bindQueue('spy', 'scalable-api.events', '#');
  await publish('seen');
  const message = await waitFor('the message', () => channel.get('spy', { noAck: true }));
  const event = JSON.parse(message.content.toString()) as CloudEvent<{ name: string }>;
  expect(event).toMatchObject({
    specversion: '1.0',
    source: '/things',
    type: ThingHappenedEvent.type,
    subject: 'seen',
  });
  expect(message.fields.routingKey).toBe(ThingHappenedEvent.type);
  expect(message.properties).toMatchObject({
    contentType: 'application/cloudevents+json; charset=utf-8',
    deliveryMode: 2,
    messageId: event.id,
  });
});

it('gives the events of a burst a lower priority than everybody else’s', async () => {
  await channel.assertQueue('priorities', { exclusive: true });
  await channel.bindQueue('priorities', 'scalable-api.events', '#');
  await publisher.get(Transactions).run(async (session) => {
    const burst = Array.from({ length: 60 }, () => new ThingHappenedEvent('busy', { name: 'burst' }));
    await publisher.get(Outbox).add(burst, session);
  });
  await waitFor('the burst', async () => (await depthOf('priorities')) === 60);
  await publish('calm');
  await waitFor('the last one', async () => (await depthOf('priorities')) === 61);
  const seen = { burst: new Set<number>(), calm: new Set<number>() };
  for (let count = 0; count < 61; count++) {
    const message = await channel.get('priorities', { noAck: true });
    if (!message) throw new Error('a message is missing');
    const { data } = JSON.parse(message.content.toString()) as CloudEvent<{ name: keyof typeof seen }>;
    seen[data.name].add(Number(message.properties.priority));
  }
  expect([[...seen.burst], [...seen.calm]]).toEqual([[5, 0], [5]]);
});

it('takes a message in once in effect, however often it comes', async () => {
  const event = { ...envelopeOf('repeated'), id: 'one and the same' };
  const content = Buffer.from(JSON.stringify(event));
  for (let count = 0; count < 5; count++) channel.publish('scalable-api.events', event.type, content);
  await channel.waitForConfirms();
  await publish('after the repeated');
  await waitFor('the next one', async () => (await notesOf(consumer, 'after the repeated')) === 1);
  await waitFor('all to be taken', async () => (await depthOf('scalable-api.store')) === 0);
  expect(await notesOf(consumer, 'repeated')).toBe(1);
});

it('tries again what fails, with pauses, without holding up the rest or bothering the other module', async () => {
  failing.add('stubborn');
  await publish('stubborn');
  await waitFor('some attempts', () => tried.filter((each) => each === 'stubborn by store').length >= 3);
  await publish('unhindered');
  await waitFor('the other event', async () => (await notesOf(consumer, 'unhindered')) === 1);
  expect(await notesOf(consumer, 'stubborn')).toBe(0);
  failing.delete('stubborn');
  await waitFor('it to be handled', async () => (await notesOf(consumer, 'stubborn')) === 1);
  await waitFor('the other module', async () => (await notesOf(otherConsumer, 'stubborn')) === 1);
});

describe('dead letters', () => {
  const poison = async (name: string) => {
    failing.add(name);
    const content = Buffer.from(JSON.stringify(envelopeOf(name)));
    // One attempt short of the last.
    channel.publish('', 'scalable-api.store', content, { persistent: true, headers: { 'x-attempts': 19 } });
    await channel.waitForConfirms();
  };
  const dead = () => depthOf('scalable-api.store.dead');

  it('are what failed for the twentieth time, and what is no event at all', async () => {
    await poison('hopeless');
    channel.publish('', 'scalable-api.store', Buffer.from('{"no":"event"}'));
    await waitFor('both to be dead', async () => (await dead()) === 2);
    expect(await notesOf(consumer, 'hopeless')).toBe(0);
    expect(await depthOf('scalable-api.other.dead')).toBe(0);
  });

  it('come back by the command, and are handled then', async () => {
    failing.delete('hopeless');
    expect(await publisher.get(DeadLetters).replay('store')).toBe(2);
    await waitFor('it to be handled', async () => (await notesOf(consumer, 'hopeless')) === 1);
    await waitFor('only what is no event to be dead again', async () => (await dead()) === 1);
    await channel.purgeQueue('scalable-api.store.dead');
  });

  it('are removed once their person has been erased, and the others stay and can come back', async () => {
    await Promise.all(['erased person', 'somebody else'].map((name) => poison(name)));
    channel.publish('', 'scalable-api.store', Buffer.from('{"no":"event"}'));
    await waitFor('all to be dead', async () => (await dead()) === 3);
    const isErased = (userId: string) => Promise.resolve(userId === 'erased person');
    expect(await consumer.get(DeadLetters).removeErased(isErased)).toBe(1);
    expect(await dead()).toBe(2);
    expect(await consumer.get(DeadLetters).removeErased(isErased)).toBe(0);
    failing.clear();
    expect(await publisher.get(DeadLetters).replay('store')).toBe(2);
    await waitFor('the other to be handled', async () => (await notesOf(consumer, 'somebody else')) === 1);
    await waitFor('what is no event to be dead again', async () => (await dead()) === 1);
    await channel.purgeQueue('scalable-api.store.dead');
    expect(await notesOf(consumer, 'erased person')).toBe(0);
  });

  it('are not lost when the command is interrupted', async () => {
    for (const name of ['first', 'second', 'third']) await poison(name);
    await waitFor('them to be dead', async () => (await dead()) === 3);
    // Taken, but never acknowledged: what a killed command leaves.
    const interrupted = await connectToBroker(broker.url);
    const its = await interrupted.createChannel();
    await its.get('scalable-api.store.dead');
    await interrupted.close();
    failing.clear();
    await waitFor('all three to be there', async () => (await dead()) === 3);
    expect(await publisher.get(DeadLetters).replay('store')).toBe(3);
    for (const name of ['first', 'second', 'third']) {
      await waitFor(`${name} to be handled`, async () => (await notesOf(consumer, name)) === 1);
    }
  });
});

it('loses nothing and doubles nothing while the broker is killed and comes back', async () => {
  const names = Array.from({ length: 60 }, (_, number) => `through an outage ${number}`);
  for (const name of names.slice(0, 20)) await publish(name);
  await broker.kill();
  for (const name of names.slice(20, 40)) await publish(name);
  expect(await databaseOf(publisher).collection('outbox').countDocuments()).toBeGreaterThanOrEqual(20);
  await broker.start();
  for (const name of names.slice(40)) await publish(name);
  await waitFor('the outbox to be empty', outboxIsEmpty, 60_000);
  for (const module of [consumer, otherConsumer]) {
    const stored = databaseOf(module).collection('notes');
    const all = { name: { $in: names } };
    await waitFor('all to be handled', async () => (await stored.countDocuments(all)) >= names.length, 60_000);
    expect(await stored.countDocuments(all)).toBe(names.length);
  }
  await takeControl();
  expect(await depthOf('scalable-api.store.dead')).toBe(0);
});

it('works a backlog off while an alarm of memory keeps the same process from publishing', async () => {
  let open = () => undefined as void;
  gate = new Promise((resolve) => (open = resolve));
  const names = Array.from({ length: 60 }, (_, number) => `backlog ${number}`);
  // Of one user, so they are handled one after the other: a single transaction waits.
  await publishEvents(...names.map((name) => new ThingStoredEvent('backlog', { name })));
  await waitFor('the outbox to be empty', outboxIsEmpty);
  await broker.control('set_vm_memory_high_watermark', 'absolute', '1MB');
  const { publishing } = consumer.get(RabbitMqConnections);
  await publishBy(consumer, new ThingStoredEvent('under the alarm', { name: 'under the alarm' }));
  failing.add('backlog 0');
  await waitFor('the process to be blocked', () => publishing.blockedBy).finally(open);
  const stored = databaseOf(consumer).collection('notes');
  const others = { name: { $in: names.slice(1) } };
  await waitFor('the others to be handled', async () => (await stored.countDocuments(others)) === 59, 60_000);
  await waitFor('them to be acknowledged', async () => (await depthOf('scalable-api.store')) === 0, 60_000);
  expect(publishing.blockedBy).toContain('memory');
  failing.delete('backlog 0');
  await broker.control('set_vm_memory_high_watermark', '0.4');
  for (const name of ['backlog 0', 'under the alarm']) {
    await waitFor(`${name} to be handled`, async () => (await notesOf(consumer, name)) === 1, 60_000);
  }
});

describe('what is deleted in the broker while the service runs', () => {
  const names = (about: string, count = 50) => Array.from({ length: count }, (_, number) => `${about} ${number}`);
  const storedBy = async (module: TestingModule, about: string) => {
    const notes = databaseOf(module).collection<{ name: string }>('notes');
    const stored = await notes.find({ name: { $regex: `^${about} \\d+$` } }).toArray();
    return stored.map(({ name }) => name).sort();
  };
  const expectAll = async (about: string, modules: TestingModule[], count = 50) => {
    await waitFor('the outbox to be empty', outboxIsEmpty, 60_000);
    const all = names(about, count).sort();
    for (const module of modules) {
      const areStored = async () => new Set(await storedBy(module, about)).size === count;
      await waitFor(`all ${about} to be handled`, areStored, 60_000);
      expect(await storedBy(module, about)).toEqual(all);
    }
  };
  /** On a channel of its own, which the broker closes where the queue is missing. */
  const exists = async (queue: string) => {
    const own = await control.createChannel();
    own.on('error', () => undefined);
    const found = await own.checkQueue(queue).catch(() => undefined);
    if (found) await own.close();
    return found !== undefined;
  };

  it('loses nothing when a queue goes while both sides run, and the other consumer of its events hears them once', async () => {
    const about = 'queue deleted under way';
    const before = [`${about}, before 0`, `${about}, before 1`];
    await publish(...before);
    // What lies in a queue goes with it: nothing does.
    for (const name of before) {
      await waitFor(`${name} to be handled`, async () => (await notesOf(consumer, name)) === 1, 60_000);
    }
    await channel.deleteQueue('scalable-api.store');
    let published = 0;
    const publishNext = async () => await publish(`${about} ${published++}`);
    await waitFor(
      'events to be handled again',
      async () => {
        await publishNext();
        return (await storedBy(consumer, about)).length > 0;
      },
      60_000,
    );
    for (let more = 0; more < 10; more++) await publishNext();
    await expectAll(about, [consumer, otherConsumer], published);
  });

  it('sends an event again that may have missed a queue, because it was declared again before anybody looked', async () => {
    // A repair after the deletion before this one has waited already, and would declare the queue sooner.
    await Promise.all([publisher, consumer, otherConsumer].map((each) => each.get(TopologyWatch).repair()));
    let sendings = 0;
    await publisher.get(TopologyWatch).reach(['scalable-api.store'], async () => {
      if (++sendings > 1) return;
      await channel.deleteQueue('scalable-api.store');
      // By its consumer: the publisher finds nothing missing.
      await waitFor('the queue to be back', () => exists('scalable-api.store'), 60_000);
    });
    expect(sendings).toBeGreaterThan(1);
  });

  it('loses nothing when an exchange or a binding goes', async () => {
    await channel.deleteExchange('scalable-api.events');
    await publish(...names('no exchange'));
    await expectAll('no exchange', [consumer, otherConsumer]);
    await channel.unbindQueue('scalable-api.store', 'scalable-api.events', ThingStoredEvent.type);
    await publishEvents(...names('no binding').map((name) => new ThingStoredEvent(name, { name })));
    await expectAll('no binding', [consumer]);
  });

  it('tries again what fails although the queue for the pause is gone', async () => {
    await channel.deleteQueue('scalable-api.retry.250ms');
    failing.add('no pause');
    await publish('no pause');
    await waitFor('two attempts', () => tried.filter((each) => each === 'no pause by store').length >= 2, 60_000);
    failing.delete('no pause');
    await expectNoted('no pause');
  });

  const expectNoted = async (name: string) => {
    await waitFor('it to be handled', async () => (await notesOf(consumer, name)) === 1, 60_000);
  };

  it('tells each sending that reaches no queue, also two of the same message at once', async () => {
    const bus = publisher.get<RabbitMqBus>(EventBus);
    const options = { messageId: 'one and the same', mandatory: true };
    const sendings = ['no queue', 'none either'].map((queue) => bus.send('', queue, Buffer.from('{}'), options));
    const outcomes = await Promise.allSettled(sendings);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('publishes nothing while the connection on which it asks about queues is away', async () => {
    const { consuming } = publisher.get(RabbitMqConnections);
    const bus = publisher.get(EventBus);
    consuming.reconnect();
    await waitFor('it to be away', () => !consuming.isConnected);
    expect(bus.isAvailable).toBe(false);
    await waitFor('it to be back', () => bus.isAvailable, 60_000);
  });

  it('passes over events that no consumer has a handler for', async () => {
    await publishEvents(new ThingIgnoredEvent('ignored', { name: 'ignored' }));
    await waitFor('the outbox to be empty', outboxIsEmpty);
  });

  it('loses nothing when the queues go while their consumers are down', async () => {
    await Promise.all([consumer.close(), otherConsumer.close()]);
    await channel.deleteQueue('scalable-api.store');
    await publishEvents(...names('the only queue').map((name) => new ThingStoredEvent(name, { name })));
    await waitFor('the outbox to be empty', outboxIsEmpty, 60_000);
    // No message comes back to the publisher: another queue gets them all.
    await channel.assertQueue('everything', { exclusive: true });
    await channel.bindQueue('everything', 'scalable-api.events', '#');
    await channel.deleteQueue('scalable-api.other');
    await publish(...names('one of two queues'));
    await waitFor('the outbox to be empty', outboxIsEmpty, 60_000);
    consumer = await startProcess(['store']);
    otherConsumer = await startProcess(['other']);
    await expectAll('the only queue', [consumer]);
    await expectAll('one of two queues', [consumer, otherConsumer]);
  });
});

function envelopeOf(name: string): CloudEvent {
  return {
    specversion: '1.0',
    id: `event of ${name}`,
    source: '/things',
    type: ThingHappenedEvent.type,
    subject: name,
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data: { name },
  };
}
