import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Module,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { ProcessEnvironment } from '../../config/areas/process.environment.js';
import { DECLARED_QUEUES, type DeclaredQueue, WorkHandlers } from './work-handlers.js';
import { WorkQueues } from './work-queues.js';
import { WorkQueuesModule } from './work-queues.module.js';

/**
 * Finds all methods with `@WorkHandler`, starts their queues and stops them. It isn't global and is the last module that the root
 * module imports: Nest then calls its hooks after those of all others at the start, and before them at the end. So work begins
 * when everything is initialised, and is over before anything that it uses is closed. With `WORK_ENABLED=false` nothing is
 * started: other instances work on what this one adds.
 */
@Module({})
export class WorkModule implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    private readonly handlers: WorkHandlers,
    private readonly queues: WorkQueues,
    private readonly environment: ProcessEnvironment,
  ) {}

  /** @param declared each queue that this process works on */
  static forRoot(declared: DeclaredQueue[]): DynamicModule {
    return {
      module: WorkModule,
      imports: [WorkQueuesModule],
      providers: [{ provide: DECLARED_QUEUES, useValue: declared }, WorkHandlers],
    };
  }

  /** @throws Error where handlers and declared queues don't match */
  onModuleInit(): void {
    this.queues.init(this.handlers.createQueues());
  }

  onApplicationBootstrap(): void {
    if (this.environment.WORK_ENABLED) this.queues.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.queues.stop();
  }
}
