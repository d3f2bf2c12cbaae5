import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { InjectConnection } from '@nestjs/mongoose';
import type { ClientSession, Connection } from 'mongoose';

type Callback = () => Promise<void> | void;

/** A transaction that others join, as long as it is open. */
interface Enclosure {
  session: ClientSession;
  open: boolean;
  failure?: unknown;
}

/** Runs units of work in MongoDB transactions. */
@Injectable()
export class Transactions {
  private readonly callbacks = new WeakMap<ClientSession, Callback[]>();
  private readonly finalSteps: ((session: ClientSession) => Promise<void>)[] = [];
  private readonly enclosures = new AsyncLocalStorage<Enclosure>();

  constructor(@InjectConnection() private readonly connection: Connection) {}

  /**
   * Both or neither of everything done with `session`. The driver repeats `work` when the transaction meets another
   * one (write conflicts), so it must have no effects beside the database; those go into `afterCommit`.
   *
   * @returns what `work` returned, once the majority has the commit and the `afterCommit` callbacks have run
   */
  async run<T>(work: (session: ClientSession) => Promise<T>): Promise<T> {
    const enclosure = this.enclosures.getStore();
    if (enclosure?.open) return await this.join(enclosure, work);
    const session = await this.connection.startSession();
    try {
      const result = await session.withTransaction(
        async () => {
          this.callbacks.set(session, []);
          const result = await work(session);
          for (const step of this.finalSteps) await step(session);
          return result;
        },
        { readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } },
      );
      for (const callback of this.callbacks.get(session) ?? []) await callback();
      return result;
    } finally {
      await session.endSession();
    }
  }

  /**
   * Makes one transaction of every `run` that `work` comes to, one after the other, and of `finish`, which gets what came
   * out. `work` is repeated like the work of `run`, and what it reads without a session shows nothing of its own changes.
   * Once a `run` inside has failed, nothing is committed, whatever `work` makes of the error.
   */
  async enclose<T>(work: () => Promise<T>, finish: (result: T, session: ClientSession) => Promise<void>): Promise<T> {
    return await this.run(async (session) => {
      const enclosure: Enclosure = { session, open: true };
      try {
        const result = await this.enclosures.run(enclosure, work);
        if ('failure' in enclosure) throw enclosure.failure;
        await finish(result, session);
        return result;
      } finally {
        enclosure.open = false;
      }
    });
  }

  /** Has every transaction do this last, as a part of it: for what follows from the work done in it. */
  beforeEachCommit(step: (session: ClientSession) => Promise<void>): void {
    this.finalSteps.push(step);
  }

  /**
   * Runs once the transaction of `session` is committed and before `run` returns. If it throws, so does `run`, though the
   * change is made: that is for a change that must not be acknowledged yet.
   */
  afterCommit(session: ClientSession, callback: Callback): void {
    this.callbacks.get(session)?.push(callback);
  }

  private async join<T>(enclosure: Enclosure, work: (session: ClientSession) => Promise<T>): Promise<T> {
    try {
      return await work(enclosure.session);
    } catch (error) {
      enclosure.failure ??= error;
      throw error;
    }
  }
}
