import { Injectable } from '@nestjs/common';
import type { WorkQueue } from './work-queue.js';
import type { WorkItem } from './work.schema.js';

/** The queues of durable work that this process works on. */
@Injectable()
export class WorkQueues {
  private queues = new Map<string, WorkQueue<WorkItem>>();

  /** Takes the queues over, before they are started. @param queues by their names */
  init(queues: Map<string, WorkQueue<WorkItem>>): void {
    this.queues = queues;
  }

  start(): void {
    this.queues.forEach((queue) => queue.start());
  }

  /**
   * Says that a queue has new work: it is claimed at once instead of at the next poll. Does nothing in a process that works on no
   * queues, such as a command.
   */
  nudge(name: string): void {
    this.queues.get(name)?.nudge();
  }

  /** Claims nothing more and waits for what is being worked on. */
  async stop(): Promise<void> {
    await Promise.all([...this.queues.values()].map((queue) => queue.stop()));
  }
}
