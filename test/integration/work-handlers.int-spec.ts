import {
  type BeforeApplicationShutdown,
  Global,
  Injectable,
  Logger,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type Type,
} from '@nestjs/common';
import { getConnectionToken, getModelToken, MongooseModule, Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { Test, type TestingModule } from '@nestjs/testing';
import type { Connection, Model } from 'mongoose';
import { AppModule } from '../../src/app.module.js';
import { RecurringJob } from '../../src/platform/work/recurring-job.decorator.js';
import { WorkHandler } from '../../src/platform/work/work-handler.decorator.js';
import { WorkQueues } from '../../src/platform/work/work-queues.js';
import { WorkModule } from '../../src/platform/work/work.module.js';
import { WORK_INDEX, WorkItem } from '../../src/platform/work/work.schema.js';
import { deferred, isPending, newEnvironment } from '../support/parts.js';
import { databaseUri, newDatabaseName } from '../support/service.js';
import { waitFor } from '../support/wait-for.js';

@Schema({ versionKey: false })
class Parcel extends WorkItem {
  @Prop({ type: String, required: true })
  name!: string;
}
const ParcelSchema = SchemaFactory.createForClass(Parcel);
ParcelSchema.index(WORK_INDEX);

const PARCELS = { queue: 'parcels', items: Parcel, concurrency: 1, maxAttempts: 5, whenDone: 'delete' } as const;
const MANIFEST = 'The manifest of post';

/** What happens, in its order. */
let events: string[] = [];
let packed = deferred();
let initialised = deferred();

@Injectable()
class Packer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  async onApplicationBootstrap(): Promise<void> {
    await initialised.promise;
    events.push('the module is initialised');
  }

  @WorkHandler(PARCELS)
  async pack({ name }: Parcel): Promise<void> {
    events.push(`packs ${name}`);
    await packed.promise;
    events.push(`has packed ${name}`);
  }

  beforeApplicationShutdown(): void {
    events.push('the module stops');
  }
}

@Injectable()
class SecondPacker {
  @WorkHandler((packer: SecondPacker) => ({ ...PARCELS, queue: packer.queue }))
  async packToo(): Promise<void> {}

  private readonly queue = 'parcels';
}

@Injectable()
class Sweeper {
  @RecurringJob({ name: 'sweep', everyMs: 1000 })
  async sweep(): Promise<void> {}

  @RecurringJob({ name: 'sweep', everyMs: 1000 })
  async sweepAgain(): Promise<void> {}
}

/** Stands for all that work uses beside the database, such as the event bus. */
@Injectable()
class Bus implements BeforeApplicationShutdown, OnApplicationShutdown {
  beforeApplicationShutdown(): void {
    events.push('the bus takes in no more');
  }

  onApplicationShutdown(): void {
    events.push('the bus closes');
  }
}
@Global()
@Module({ providers: [Bus] })
class BusModule {}

async function build(providers: Type[], queues = ['parcels']): Promise<TestingModule> {
  @Module({ imports: [MongooseModule.forFeature([{ name: Parcel.name, schema: ParcelSchema }])], providers })
  class PostModule {}
  const declared = ['recurring-jobs', ...queues].map((queue) => ({ queue, declaredBy: MANIFEST }));
  return await Test.createTestingModule({
    imports: [
      MongooseModule.forRoot(databaseUri(newDatabaseName())),
      BusModule,
      PostModule,
      WorkModule.forRoot(declared),
    ],
  }).compile();
}

beforeAll(() => void Logger.overrideLogger(false));
beforeEach(() => {
  events = [];
  [packed, initialised] = [deferred(), deferred()];
});

describe('a method with @WorkHandler', () => {
  it('gets work once all is initialised, and ends before anything that it uses is closed', async () => {
    const app = await build([Packer]);
    const parcels = app.get<Model<Parcel>>(getModelToken(Parcel.name), { strict: false });
    const connection = app.get<Connection>(getConnectionToken());
    await parcels.create({ name: 'a book' });
    const start = app.init();
    expect(await isPending(start)).toBe(true);
    expect(events).toEqual([]);
    initialised.resolve();
    await start;
    await waitFor('the work to begin', () => events.includes('packs a book'));

    await parcels.create({ name: 'a lamp' });
    const end = app.close();
    app.get(WorkQueues).nudge('parcels');
    expect(await isPending(end)).toBe(true);
    expect(events).toEqual(['the module is initialised', 'packs a book']);
    expect(await parcels.countDocuments()).toBe(2);
    packed.resolve();
    await end;
    expect(events.slice(2)).toEqual([
      'has packed a book',
      'the module stops',
      'the bus takes in no more',
      'the bus closes',
    ]);
    expect(connection.readyState).toBe(0);
  });

  it.each([
    [
      'a second handler',
      [Packer, SecondPacker],
      ['parcels'],
      'Packer.pack and SecondPacker.packToo both handle the queue parcels',
    ],
    ['a queue that nothing declares', [Packer], [], 'Packer.pack handles the queue parcels, which no manifest'],
    [
      'a queue without a handler',
      [Packer],
      ['parcels', 'letters'],
      `${MANIFEST} lists the queue letters, which no method`,
    ],
    ['two recurring jobs with one name', [Packer, Sweeper], ['parcels'], 'Sweeper.sweep and Sweeper.sweepAgain'],
  ])('is refused at the start where there is %s', async (_, providers, queues, message) => {
    const app = await build(providers, queues);
    await expect(app.init()).rejects.toThrow(message);
    initialised.resolve();
    await app.close();
  });
});

it('is of the last module of the service, so that work begins after all others and ends before them', async () => {
  const { imports = [] } = await AppModule.forRoot(newEnvironment());
  expect(imports.at(-1)).toMatchObject({ module: WorkModule });
});
