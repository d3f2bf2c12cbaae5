import { Reflector } from '@nestjs/core';

/** When a method is called again and again, such as a sweep. */
export interface RecurringJobOptions {
  /** Unique, and the same in every process and release. */
  name: string;
  /** From the end of a run to the beginning of the next, in milliseconds; jittered by a tenth. */
  everyMs: number;
}

/** Metadata of a recurring job. */
export const Recurring = Reflector.createDecorator<RecurringJobOptions>();

/**
 * Marks a provider's method as a job that one process at a time runs every so often. It ends within five minutes, so it does a
 * bounded piece of work; it may be repeated after a crash, and a failure is tried again.
 *
 *     @RecurringJob({ name: 'files.sweep-orphans', everyMs: 3_600_000 })
 *     async sweep(): Promise<void> { … }
 */
export function RecurringJob(options: RecurringJobOptions) {
  return (target: object, key: string, descriptor: TypedPropertyDescriptor<() => Promise<void>>): void => {
    Recurring(options)(target, key, descriptor);
  };
}
