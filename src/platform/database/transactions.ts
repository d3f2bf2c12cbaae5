import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { InjectConnection } from '@nestjs/mongoose';
import type { ClientSession, Connection } from 'mongoose';
import { callerOf, requestContext } from '../../common/http/request-context.js';
import { DatabaseEnvironment } from '../../config/areas/database.environment.js';
import { OverloadedError } from '../overload/overloaded.error.js';
import { WorkLimit } from '../overload/work-limit.js';

/**
 * How many transactions may run at once, as a share of the pool's connections: of requests and of background work. A
 * transaction uses one connection at most, so the rest is free for what has no transaction.
 */
const SHARE_OF_POOL = { requests: 0.5, background: 0.25 };
/**
 * How many requests may wait to begin a transaction: with those that run, 300 of a process with the default pool. More would
 * only wait until they are refused, and a client with many connections would wait with each of them, one after the other.
 */
const MAX_WAITING = 275;

type Callback = () => Promise<void> | void;

/** A transaction that others join, as long as it is open. */
interface Enclosure {
  tx: ClientSession;
  open: boolean;
  failure?: unknown;
}

/** One of the transactions that may run at once, until it is released. */
interface Place {
  held: boolean;
}

/**
 * Runs units of work in MongoDB transactions, a limited number at once. Those of requests wait for a limited time and take
 * turns by caller; those of background work wait as long as it takes, since its queues limit how many there are.
 */
@Injectable()
export class Transactions {
  private readonly callbacks = new WeakMap<ClientSession, Callback[]>();
  private readonly finalSteps: ((tx: ClientSession) => Promise<void>)[] = [];
  private readonly enclosures = new AsyncLocalStorage<Enclosure>();
  private readonly places = new AsyncLocalStorage<Place>();
  private readonly requests: WorkLimit;
  private readonly background: WorkLimit;

  /** How long after its arrival a request may begin a transaction, also because one has met another. In milliseconds. */
  private readonly maxWaitMs: number;

  constructor(
    @InjectConnection() private readonly connection: Connection,
    { TRANSACTION_MAX_WAIT_MS: maxWaitMs }: DatabaseEnvironment,
  ) {
    this.maxWaitMs = maxWaitMs;
    const queueLimit = { maxWaiting: MAX_WAITING, maxWaitMs };
    const { maxPoolSize } = connection.getClient().options;
    const concurrency = (share: number) => Math.max(1, Math.floor(maxPoolSize * share));
    const { requests, background } = SHARE_OF_POOL;
    this.requests = new WorkLimit({ name: 'transactions', concurrency: concurrency(requests), queueLimit });
    this.background = new WorkLimit({ name: 'background-transactions', concurrency: concurrency(background) });
  }

  /** How many transactions of requests may run or wait at once. */
  get capacity(): number {
    return this.requests.capacity;
  }

  /**
   * Both or neither of everything done with `tx`. The driver repeats `work` when the transaction meets another
   * one (write conflicts), so it must have no effects beside the database; those go into `afterCommit`.
   *
   * @returns what `work` returned, once the majority has the commit and the `afterCommit` callbacks have run
   * @throws OverloadedError where nothing was done because a request's transaction had to wait for too long
   */
  async run<T>(work: (tx: ClientSession) => Promise<T>): Promise<T> {
    const enclosure = this.enclosures.getStore();
    if (enclosure?.open) return await this.join(enclosure, work);
    const { result, callbacks } = await this.inPlace(() => this.inSession(work));
    for (const callback of callbacks) await callback();
    return result;
  }

  /**
   * Makes one transaction of every `run` inside `work`, one after the other, and of `finish`, which gets what came
   * out. `work` is repeated like the work of `run`, and what it reads without a session shows nothing of its own changes.
   * Once a `run` inside has failed, nothing is committed, also if `work` catches the error.
   */
  async enclose<T>(work: () => Promise<T>, finish: (result: T, tx: ClientSession) => Promise<void>): Promise<T> {
    return await this.run(async (tx) => {
      const enclosure: Enclosure = { tx, open: true };
      try {
        const result = await this.enclosures.run(enclosure, work);
        if ('failure' in enclosure) throw enclosure.failure;
        await finish(result, tx);
        return result;
      } finally {
        enclosure.open = false;
      }
    });
  }

  /** Has every transaction do this last, as a part of it: for what follows from the work done in it. */
  beforeEachCommit(step: (tx: ClientSession) => Promise<void>): void {
    this.finalSteps.push(step);
  }

  /**
   * Runs once the transaction `tx` is committed and before `run` returns. If it throws, so does `run`, though the
   * change is made: that is for a change that must not be acknowledged yet.
   */
  afterCommit(callback: Callback, tx: ClientSession): void {
    this.callbacks.get(tx)?.push(callback);
  }

  /** A transaction inside another one has no place of its own: if it waited for one, the outer one might never end. */
  private async inPlace<T>(work: () => Promise<T>): Promise<T> {
    if (this.places.getStore()?.held) return await work();
    const place: Place = { held: true };
    const request = requestContext.getStore();
    const limit = request ? this.requests : this.background;
    const holding = async () => {
      try {
        return await this.places.run(place, work);
      } finally {
        place.held = false;
      }
    };
    return await limit.run(request ? callerOf(request) : '', holding, request?.startedAt);
  }

  /** Only once there is a place: of many that are refused, none needs a session. */
  private async inSession<T>(work: (tx: ClientSession) => Promise<T>) {
    const tx = await this.connection.startSession();
    try {
      const result = await this.commit(work, tx);
      return { result, callbacks: this.callbacks.get(tx) ?? [] };
    } finally {
      await tx.endSession();
    }
  }

  private async commit<T>(work: (tx: ClientSession) => Promise<T>, tx: ClientSession): Promise<T> {
    const request = requestContext.getStore();
    const lastStart = request ? request.startedAt + this.maxWaitMs : Infinity;
    return await tx.withTransaction(
      async () => {
        if (performance.now() > lastStart) throw new OverloadedError();
        this.callbacks.set(tx, []);
        const result = await work(tx);
        for (const step of this.finalSteps) await step(tx);
        return result;
      },
      { readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } },
    );
  }

  private async join<T>(enclosure: Enclosure, work: (tx: ClientSession) => Promise<T>): Promise<T> {
    try {
      return await work(enclosure.tx);
    } catch (error) {
      enclosure.failure ??= error;
      throw error;
    }
  }
}
