import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { PermanentFailure, Postponed } from '../../src/platform/work/outcomes.js';
import { type Claim, ClaimLost } from '../../src/platform/work/claim.js';
import { WorkQueue } from '../../src/platform/work/work-queue.js';
import type { WorkQueueOptions } from '../../src/platform/work/work-queue-options.js';
import { WORK_INDEX, WorkItem } from '../../src/platform/work/work.schema.js';
import { connect, deferred, isPending, modelOf } from '../support/parts.js';
import { waitFor } from '../support/wait-for.js';

@Schema({ versionKey: false })
class Job extends WorkItem {
  @Prop({ type: String, required: true })
  name!: string;

  @Prop({ type: String })
  owner?: string;
}
const JobSchema = SchemaFactory.createForClass(Job);
JobSchema.index(WORK_INDEX);

let jobs: Model<Job>;
const queues: WorkQueue<Job>[] = [];

beforeAll(async () => {
  Logger.overrideLogger(false);
  jobs = await modelOf(await connect(), Job.name, JobSchema);
});
afterEach(async () => {
  await Promise.all(queues.splice(0).map((queue) => queue.stop()));
  await jobs.deleteMany({});
});

type Handle = (job: Job, claim: Claim) => Promise<Partial<Job> | void>;

function startQueue(handle: Handle, options: Partial<WorkQueueOptions> = {}): WorkQueue<Job> {
  const defaults = { queue: 'jobs', concurrency: 1, maxAttempts: 5, whenDone: 'delete', pollMs: 30 } as const;
  const queue = new WorkQueue(jobs, handle, { ...defaults, ...options });
  queues.push(queue);
  queue.start();
  return queue;
}

const isEmpty = () => jobs.countDocuments().then((count) => count === 0);

describe('a work queue', () => {
  it('works on what is due and forgets it', async () => {
    const seen: string[] = [];
    await jobs.create([{ name: 'now' }, { name: 'later', availableAt: new Date(Date.now() + 3_600_000) }]);
    startQueue(async ({ name }) => void seen.push(name));
    await waitFor('the job to be done', async () => (await jobs.countDocuments()) === 1);
    expect(seen).toEqual(['now']);
    expect((await jobs.findOne().lean())?.name).toBe('later');
  });

  it('keeps what is done where it is told to, without a lease or an error', async () => {
    await jobs.create({ name: 'kept', lastError: 'of an earlier attempt' });
    startQueue(async () => undefined, { whenDone: 'keep' });
    const done = await waitFor('the job to be done', () => jobs.findOne({ state: 'done' }).lean());
    expect(done).toMatchObject({ lease: null, lastError: null, attempts: 1 });
  });

  it('begins at a nudge, without waiting for the next poll', async () => {
    const queue = startQueue(async () => undefined, { pollMs: 3_600_000 });
    await delay(100); // it is idle by then: the first look found nothing
    await jobs.create({ name: 'urgent' });
    queue.nudge();
    await waitFor('the job to be done', isEmpty, 5000);
  });

  it('tries again when it is due, also where it has looked for other work meanwhile', async () => {
    await jobs.create({ name: 'slow and flaky' });
    const fails = async (job: Job) => {
      await delay(400); // longer than until the first look, which sees the lease alone
      if (job.attempts === 1) throw new Error('not yet');
    };
    startQueue(fails, { concurrency: 2, pollMs: 3_600_000 });
    await waitFor('the job to be done', isEmpty);
  });

  it('tries again after pauses that grow, and forgets the error once it works', async () => {
    const at: number[] = [];
    const errors: (string | null)[] = [];
    await jobs.create({ name: 'flaky' });
    startQueue(async ({ lastError }) => {
      at.push(Date.now());
      errors.push(lastError);
      if (at.length < 3) throw new Error(`attempt ${at.length}`);
    });
    await waitFor('the job to be done', isEmpty);
    const [first = 0, second = 0, third = 0] = at;
    expect(errors).toEqual([null, 'Error: attempt 1', 'Error: attempt 2']);
    // Half to one and a half of 250 ms, then of 500 ms.
    expect(second - first).toBeGreaterThanOrEqual(124);
    expect(third - second).toBeGreaterThanOrEqual(249);
  });

  it('parks what keeps failing, with its last error cut to length, and goes on with the rest', async () => {
    await jobs.create([{ name: 'poison' }, { name: 'fine' }]);
    const seen: string[] = [];
    const handle = async ({ name }: Job) => {
      seen.push(name);
      if (name === 'poison') throw new Error('x'.repeat(10_000));
    };
    startQueue(handle, { maxAttempts: 2 });
    const parked = await waitFor('the job to be parked', () => jobs.findOne({ state: 'parked' }).lean());
    expect(parked).toMatchObject({ name: 'poison', attempts: 2, lease: null });
    expect(parked.lastError).toHaveLength(500);
    await jobs.create({ name: 'later' });
    await waitFor('the others to be done', async () => (await jobs.countDocuments()) === 1);
    expect(seen.filter((name) => name === 'poison')).toHaveLength(2);
  });

  it('ends at once what can never succeed, and keeps no value of the error', async () => {
    await jobs.create({ name: 'hopeless' });
    startQueue(() => Promise.reject(new PermanentFailure('no use for "Ada"')));
    const failed = await waitFor('the job to fail', () => jobs.findOne({ state: 'failed' }).lean());
    expect(failed).toMatchObject({ attempts: 1, lease: null, lastError: 'Error: no use for [value]' });
  });

  it('puts off what has to wait, which is no attempt', async () => {
    const until = new Date(Date.now() + 3_600_000);
    await jobs.create({ name: 'early' });
    startQueue(() => Promise.reject(new Postponed(until)));
    const waiting = await waitFor('the job to wait', () => jobs.findOne({ availableAt: until }).lean());
    expect(waiting).toMatchObject({ state: 'ready', attempts: 0, lease: null, lastError: null });
  });

  it('writes what its handler gives with the same step that says it is done', async () => {
    await jobs.create({ name: 'before' });
    startQueue(async () => ({ name: 'after' }), { whenDone: 'keep' });
    expect(await waitFor('the job to be done', () => jobs.findOne({ state: 'done' }).lean())).toMatchObject({
      name: 'after',
    });
  });

  it('does nothing twice because its record was refused for a while', async () => {
    const record = jobs.deleteOne.bind(jobs);
    let refusals = 0;
    jobs.deleteOne = ((...query: Parameters<typeof record>) => {
      if (++refusals <= 2) throw new Error('the database is away');
      return record(...query);
    }) as typeof record;
    const seen: string[] = [];
    await jobs.create({ name: 'once' });
    startQueue(async ({ name }) => void seen.push(name));
    await waitFor('the record', isEmpty);
    jobs.deleteOne = record;
    expect([seen, refusals]).toEqual([['once'], 3]);
  });

  it('claims only what is its own, and nothing while it may not', async () => {
    const seen: string[] = [];
    let open = false;
    await jobs.create([{ name: 'own' }, { name: 'foreign' }]);
    startQueue(async ({ name }) => void seen.push(name), {
      scope: { name: 'own' },
      claimable: () => (open ? {} : null),
    });
    await delay(150); // several polls
    expect(seen).toEqual([]);
    open = true;
    await waitFor('its own to be done', async () => (await jobs.countDocuments()) === 1);
    expect(seen).toEqual(['own']);
  });

  it('keeps a claim that is extended from everybody else', async () => {
    const finish = deferred();
    const seen: string[] = [];
    await jobs.create({ name: 'slow' });
    const handle: Handle = async ({ name }, claim) => {
      seen.push(name);
      const timer = setInterval(() => void claim.extend(), 100);
      await finish.promise;
      clearInterval(timer);
    };
    for (let worker = 0; worker < 2; worker++) startQueue(handle, { leaseMs: 1000 });
    await delay(2500); // beyond two leases
    expect(seen).toEqual(['slow']);
    finish.resolve();
    await waitFor('the job to be done', isEmpty);
  });

  it('hands over what a lost worker held, once its lease has run out, and ignores the lost one afterwards', async () => {
    const lost = deferred();
    const held = deferred();
    await jobs.create({ name: 'handed over' });
    startQueue(
      async () => {
        held.resolve();
        await lost.promise;
        throw new Error('of the lost worker');
      },
      { leaseMs: 300 },
    );
    await held.promise;
    const claimed = await jobs.findOne().lean();
    expect(claimed?.availableAt.getTime()).toBeGreaterThan(Date.now());

    const takenOver: Job[] = [];
    const finish = deferred();
    startQueue(async (job) => {
      takenOver.push(job);
      await finish.promise;
    });
    await waitFor('the job to be handed over', () => takenOver.length === 1);
    expect(takenOver[0]?.attempts).toBe(2);
    const lease = (await jobs.findOne().lean())?.lease;
    lost.resolve();
    await queues.shift()?.stop();
    expect(await jobs.findOne().lean()).toMatchObject({ lease, lastError: null });
    finish.resolve();
    await waitFor('the job to be done', isEmpty);
  });

  it('tells a worker that was paused that its work was taken over, before it does what cannot be undone', async () => {
    const claimed = deferred();
    const takenOver = deferred();
    const sentBy: string[] = [];
    const outcomes: unknown[] = [];
    await jobs.create({ name: 'message' });
    startQueue(
      async (_, claim) => {
        claimed.resolve();
        await takenOver.promise; // as in a process that is stopped: nothing of it runs
        await claim.assertHeld().catch((error: unknown) => {
          outcomes.push(error);
          throw error;
        });
        sentBy.push('the paused worker');
      },
      { leaseMs: 300 },
    );
    await claimed.promise;
    startQueue(async (_, claim) => {
      await claim.assertHeld();
      sentBy.push('the other');
      takenOver.resolve();
    });
    await takenOver.promise;
    await waitFor('the job to be done', isEmpty);
    await Promise.all(queues.splice(0).map((queue) => queue.stop()));
    expect(sentBy).toEqual(['the other']);
    expect(outcomes).toEqual([expect.any(ClaimLost)]);
  });

  it('lets a worker go on that was paused for longer than its lease where nobody has taken over', async () => {
    await jobs.create({ name: 'message' });
    const sent: string[] = [];
    startQueue(
      async ({ name }, claim) => {
        await delay(2_500); // its own process alone works here, and has no place for a second item
        await claim.assertHeld();
        sent.push(name);
      },
      { leaseMs: 2_000 },
    );
    await waitFor('the job to be done', isEmpty);
    expect(sent).toEqual(['message']);
  });

  it('parks what was lost with its worker as often as it may be tried', async () => {
    // As a process leaves it that is killed by its work, time and again.
    await jobs.create({ name: 'deadly', attempts: 3, lease: 'of the dead', lastError: 'Error: earlier' });
    await jobs.create({ name: 'last try', attempts: 2, lease: 'of the dead' });
    const seen: string[] = [];
    startQueue(async ({ name }) => void seen.push(name), { maxAttempts: 3 });
    const parked = await waitFor('the job to be parked', () => jobs.findOne({ state: 'parked' }).lean());
    expect(parked).toMatchObject({
      name: 'deadly',
      lease: null,
      lastError: 'Error: the process that worked on it was lost',
    });
    await waitFor('the other to be done', async () => (await jobs.countDocuments()) === 1);
    expect(seen).toEqual(['last try']);
  });

  it('never gives one item to two workers at once', async () => {
    const names = Array.from({ length: 60 }, (_, index) => `job ${index}`);
    await jobs.insertMany(names.map((name) => ({ name })));
    const held = new Set<string>();
    const seen: string[] = [];
    const collisions: string[] = [];
    const handle = async ({ name }: Job) => {
      if (held.has(name)) collisions.push(name);
      held.add(name);
      seen.push(name);
      await delay(5);
      held.delete(name);
    };
    for (let worker = 0; worker < 4; worker++) startQueue(handle, { concurrency: 4 });
    await waitFor('all to be done', isEmpty, 30_000);
    expect(collisions).toEqual([]);
    expect(seen.sort()).toEqual(names.sort());
  });

  it('works on no more at once than it is told to', async () => {
    await jobs.insertMany(Array.from({ length: 12 }, (_, index) => ({ name: `job ${index}` })));
    let active = 0;
    let most = 0;
    const handle = async () => {
      most = Math.max(most, ++active);
      await delay(20);
      active--;
    };
    startQueue(handle, { concurrency: 3 });
    await waitFor('all to be done', isEmpty);
    expect(most).toBe(3);
  });

  it('lets no owner with many items delay another one, and goes on with the many meanwhile', async () => {
    const many = Array.from({ length: 400 }, (_, index) => ({
      name: `m${index}`,
      owner: 'many',
      availableAt: new Date(0),
    }));
    await jobs.insertMany(many);
    const order: string[] = [];
    // Each item takes some time, so that hundreds of them would take more than the pause between two searches.
    const handle = async ({ owner = '' }: Job) => {
      order.push(owner);
      await delay(2);
    };
    startQueue(handle, { concurrency: 2, fairBetween: 'owner' });
    await waitFor('the first of the many', () => order.length > 10);
    await jobs.create(Array.from({ length: 3 }, (_, index) => ({ name: `f${index}`, owner: `few${index}` })));
    const before = order.length;
    await waitFor('the few', () => order.filter((owner) => owner !== 'many').length === 3);
    expect(order.findLastIndex((owner) => owner !== 'many')).toBeLessThan(before + 200);
    await waitFor('the many', isEmpty, 30_000);
    expect(order).toHaveLength(403);
  });

  it('stops once what it works on is done, and begins nothing more', async () => {
    const begun = deferred();
    const finish = deferred();
    const seen: string[] = [];
    await jobs.create([{ name: 'first' }, { name: 'second' }]);
    const queue = startQueue(async ({ name }) => {
      seen.push(name);
      begun.resolve();
      await finish.promise;
    });
    await begun.promise;
    const stopped = queue.stop();
    expect(await isPending(stopped)).toBe(true);
    finish.resolve();
    await stopped;
    expect(seen).toHaveLength(1);
    expect(await jobs.countDocuments()).toBe(1);
  });

  it('stops at once where it is idle', async () => {
    const queue = startQueue(async () => undefined, { pollMs: 3_600_000 });
    await delay(50);
    expect(await isPending(queue.stop())).toBe(false);
  });
});
