import { Logger, type Type } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { Test, type TestingModule } from '@nestjs/testing';
import type { Model } from 'mongoose';
import { RecurringJob, type RecurringJobOptions } from '../../src/platform/work/recurring-job.decorator.js';
import { RecurringJobEntry, RecurringJobSchema } from '../../src/platform/work/recurring-job.schema.js';
import { WorkModule } from '../../src/platform/work/work.module.js';
import { connect, modelOf } from '../support/parts.js';
import { databaseUri } from '../support/service.js';
import { waitFor } from '../support/wait-for.js';

let uri: string;
let entries: Model<RecurringJobEntry>;
const processes: TestingModule[] = [];

beforeAll(async () => {
  Logger.overrideLogger(false);
  const connection = await connect();
  uri = databaseUri(connection.name);
  entries = await modelOf(connection, RecurringJobEntry.name, RecurringJobSchema);
});
afterEach(async () => {
  await Promise.all(processes.splice(0).map((process) => process.close()));
  await entries.deleteMany({});
});

interface Job extends RecurringJobOptions {
  run: () => Promise<void>;
}

function providerOf({ run, ...options }: Job): Type {
  class Jobs {
    @RecurringJob(options)
    async job(): Promise<void> {
      await run();
    }
  }
  return Jobs;
}

/** As each process of a service does. */
async function startProcess(...jobs: Job[]): Promise<void> {
  const process = await Test.createTestingModule({
    imports: [
      MongooseModule.forRoot(uri, { autoIndex: false }),
      WorkModule.forRoot([{ queue: 'recurring-jobs', declaredBy: 'This test' }]),
    ],
    providers: jobs.map(providerOf),
  }).compile();
  processes.push(process);
  await process.init();
}

const makeDue = () => entries.updateMany({}, { $set: { availableAt: new Date(0) } });

describe('recurring jobs', () => {
  it('run again and again', async () => {
    let runs = 0;
    await startProcess({ name: 'tick', everyMs: 20, run: async () => void runs++ });
    await waitFor('three runs', () => runs >= 3);
  });

  it('run once when they are due, however many processes there are, and are planned for the next time', async () => {
    const runs: number[] = [];
    const job = (index: number) => ({ name: 'sweep', everyMs: 3_600_000, run: async () => void runs.push(index) });
    await Promise.all([0, 1, 2].map((index) => startProcess(job(index))));
    expect(await entries.countDocuments()).toBe(1);
    await makeDue();
    const planned = await waitFor('the next run to be planned', () =>
      entries.findOne({ availableAt: { $gt: new Date(Date.now() + 3_000_000) }, lease: null }).lean(),
    );
    expect(runs).toHaveLength(1);
    expect(planned.availableAt.getTime()).toBeLessThanOrEqual(Date.now() + 3_600_000 * 1.1);
  });

  it('are tried again when they fail', async () => {
    let runs = 0;
    const run = async () => {
      if (++runs < 3) throw new Error('not yet');
    };
    await startProcess({ name: 'flaky', everyMs: 3_600_000, run });
    await makeDue();
    await waitFor('the third run', () => runs === 3);
    await waitFor('the failures to be forgotten', () => entries.findOne({ attempts: 0, lastError: null }).lean());
  });

  it('come earlier once a release makes their interval shorter', async () => {
    await startProcess({ name: 'sweep', everyMs: 86_400_000, run: async () => undefined });
    await processes.pop()?.close();
    let runs = 0;
    await startProcess({ name: 'sweep', everyMs: 20, run: async () => void runs++ });
    await waitFor('a run', () => runs > 0);
  });

  it('of another release are left to it', async () => {
    await entries.create({ name: 'unknown', availableAt: new Date(0) });
    await startProcess();
    const left = await waitFor('the process to have looked at it', () =>
      entries.findOne({ availableAt: { $gt: new Date(Date.now() + 30_000) }, lease: null }).lean(),
    );
    expect(left.name).toBe('unknown');
  });
});
