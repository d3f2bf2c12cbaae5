import { Inject, Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { getModelToken } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { type DecoratedMethod, DecoratedMethods } from './decorated-methods.js';
import { HandledWork, type OptionsOf, type WorkHandlerOptions } from './work-handler.decorator.js';
import { WorkQueue } from './work-queue.js';
import type { WorkItem } from './work.schema.js';

/** A queue that has to have a handler in this process. */
export interface DeclaredQueue {
  queue: string;
  /** Who says so, for messages: `The manifest of tasks`. */
  declaredBy: string;
}

export const DECLARED_QUEUES = Symbol('DECLARED_QUEUES');

type Handler = DecoratedMethod<WorkHandlerOptions>;

/** The methods of this process that are marked with `@WorkHandler`. */
@Injectable()
export class WorkHandlers {
  constructor(
    private readonly methods: DecoratedMethods,
    private readonly modules: ModuleRef,
    @Inject(DECLARED_QUEUES) private readonly declared: DeclaredQueue[],
  ) {}

  /**
   * @returns the queue of each handler, by its name
   * @throws Error where handlers and declared queues don't match one to one
   */
  createQueues(): Map<string, WorkQueue<WorkItem>> {
    const handlers = this.methods.find(HandledWork).map(resolved);
    const byQueue = new Map<string, Handler>();
    for (const handler of handlers) {
      const { queue } = handler.options;
      const other = byQueue.get(queue);
      if (other)
        throw new Error(`${other.name} and ${handler.name} both handle the queue ${queue}: it has one handler.`);
      if (!this.declared.some((each) => each.queue === queue)) {
        throw new Error(
          `${handler.name} handles the queue ${queue}, which no manifest of this process lists in queues.`,
        );
      }
      byQueue.set(queue, handler);
    }
    const unhandled = this.declared.find(({ queue }) => !byQueue.has(queue));
    if (unhandled) {
      const { declaredBy, queue } = unhandled;
      throw new Error(`${declaredBy} lists the queue ${queue}, which no method with @WorkHandler handles.`);
    }
    return new Map([...byQueue].map(([queue, handler]) => [queue, this.createQueue(handler)]));
  }

  private createQueue({ options: { items, ...options }, call }: Handler): WorkQueue<WorkItem> {
    const model = this.modules.get<Model<WorkItem>>(getModelToken(items.name), { strict: false });
    return new WorkQueue(model, call as ConstructorParameters<typeof WorkQueue<WorkItem>>[1], options);
  }
}

function resolved({ options, ...method }: DecoratedMethod<OptionsOf<never, WorkItem>>): Handler {
  return { ...method, options: typeof options === 'function' ? options(method.owner as never) : options };
}
