import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { DECLARED_QUEUES, type DeclaredQueue, WorkHandlers } from './work-handlers.js';
import { WorkQueues } from './work-queues.js';
import { WorkQueuesModule } from './work-queues.module.js';

const IS_ENABLED = Symbol('IS_ENABLED');

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
    @Inject(IS_ENABLED) private readonly isEnabled: boolean,
  ) {}

  /**
   * @param declared each queue that this process works on
   * @param isEnabled false where other instances do its work (`WORK_ENABLED`)
   */
  static forRoot(declared: DeclaredQueue[], isEnabled = true): DynamicModule {
    return {
      module: WorkModule,
      imports: [WorkQueuesModule],
      providers: [
        { provide: DECLARED_QUEUES, useValue: declared },
        { provide: IS_ENABLED, useValue: isEnabled },
        WorkHandlers,
      ],
    };
  }

  /** @throws Error where handlers and declared queues don't match */
  onModuleInit(): void {
    this.queues.init(this.handlers.createQueues());
  }

  onApplicationBootstrap(): void {
    if (this.isEnabled) this.queues.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.queues.stop();
  }
}
