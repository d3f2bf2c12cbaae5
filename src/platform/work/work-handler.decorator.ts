import type { Type } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Claim } from './claim.js';
import type { Changes, WorkQueueOptions } from './work-queue-options.js';
import type { WorkItem } from './work.schema.js';

/** What a handler says of its queue. */
export interface WorkHandlerOptions<T extends WorkItem = WorkItem> extends WorkQueueOptions {
  /** The class of the queue's items, which `MongooseModule.forFeature` has under its name. */
  items: Type<T>;
}

/** The options, or how they follow from the provider that has the method. */
export type OptionsOf<Owner, T extends WorkItem> = WorkHandlerOptions<T> | ((owner: Owner) => WorkHandlerOptions<T>);

type Handler<T> = (item: T, claim: Claim) => Promise<Changes<T>>;

/** Metadata of a handler. */
export const HandledWork = Reflector.createDecorator<OptionsOf<never, WorkItem>>();

/**
 * Marks a provider's method as the handler of a queue of durable work: the process claims the queue's items and calls it with
 * each. `WorkModule` finds it, starts the queue when all of the application has been initialised, and stops it before anything
 * else ends. The queue's name stands in the module's manifest.
 *
 *     @WorkHandler({ queue: 'task-alarms', items: TaskAlarm, concurrency: 8, maxAttempts: 20, whenDone: 'leave' })
 *     async ring(alarm: TaskAlarm): Promise<void> { … }
 *
 * @param options a function where they are known only at run time, such as those that depend on the environment
 */
export function WorkHandler<T extends WorkItem, Owner = unknown>(options: OptionsOf<Owner, T>) {
  return <H extends Handler<T>>(target: Owner, key: string, descriptor: TypedPropertyDescriptor<H>): void => {
    HandledWork(options)(target as object, key, descriptor);
  };
}
