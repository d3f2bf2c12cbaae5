import { Injectable } from '@nestjs/common';
import { InjectConnection } from '@nestjs/mongoose';
import type { ClientSession, Connection } from 'mongoose';

type Callback = () => Promise<void> | void;

/** Runs units of work in MongoDB transactions. */
@Injectable()
export class Transactions {
  private readonly callbacks = new WeakMap<ClientSession, Callback[]>();

  constructor(@InjectConnection() private readonly connection: Connection) {}

  /**
   * Both or neither of everything done with `session`. The driver repeats `work` when the transaction meets another
   * one (write conflicts), so it must have no effects beside the database; those go into `afterCommit`.
   *
   * @returns what `work` returned, once the majority has the commit and the `afterCommit` callbacks have run
   */
  async run<T>(work: (session: ClientSession) => Promise<T>): Promise<T> {
    const session = await this.connection.startSession();
    try {
      const result = await session.withTransaction(
        async () => {
          this.callbacks.set(session, []);
          return await work(session);
        },
        { readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } },
      );
      for (const callback of this.callbacks.get(session) ?? []) await callback();
      return result;
    } finally {
      await session.endSession();
    }
  }

  /** Runs once the transaction of `session` is committed and before `run` returns; must not throw. */
  afterCommit(session: ClientSession, callback: Callback): void {
    this.callbacks.get(session)?.push(callback);
  }
}
