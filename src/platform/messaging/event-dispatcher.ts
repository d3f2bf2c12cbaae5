import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { InjectModel } from '@nestjs/mongoose';
import type { ClientSession, Model } from 'mongoose';
import type { CloudEvent } from '../../contracts/event.js';
import { isDuplicateKey } from '../database/duplicate-key.js';
import { Transactions } from '../database/transactions.js';
import { inSpan } from '../observability/tracing/spans.js';
import { EVENT_CONSUMERS, type EventConsumer, subscriptionsOf } from './event-consumer.js';
import { laneOf } from './fair-order.js';
import { InboxEntry } from './inbox.schema.js';
import { KeyedQueue } from './keyed-queue.js';

interface RegisteredHandler {
  consumer: string;
  type: string;
  /** `<class>.<method>`: part of the mark in the inbox, so renaming one makes it a new handler. */
  name: string;
  handle: (event: CloudEvent, tx: ClientSession) => Promise<void>;
}

/** Knows all methods of this process marked with `@EventHandler`, and gives each event to its handlers, once in effect. */
@Injectable()
export class EventDispatcher implements OnModuleInit {
  private readonly handlers: RegisteredHandler[] = [];
  /**
   * A user's events are handled one after the other: they change the same documents, and transactions that conflict are
   * repeated, which would cost all other users database time.
   */
  private readonly lanes = new KeyedQueue();

  constructor(
    @InjectModel(InboxEntry.name) private readonly inbox: Model<InboxEntry>,
    private readonly transactions: Transactions,
    private readonly modules: ModuleRef,
    @Inject(EVENT_CONSUMERS) private readonly consumers: EventConsumer[],
  ) {}

  onModuleInit(): void {
    for (const consumer of this.consumers.filter(({ served }) => served)) {
      for (const { listener, method, type } of subscriptionsOf(consumer)) {
        const instance = this.modules.get<Record<string, RegisteredHandler['handle']>>(listener, { strict: false });
        const handle = (instance[method] as RegisteredHandler['handle']).bind(instance);
        this.handlers.push({ consumer: consumer.name, type, name: `${listener.name}.${method}`, handle });
      }
    }
  }

  /** Whether a consumer has handlers for an event in this process. */
  knows(type: string, consumer: string): boolean {
    return this.handlersOf(type, consumer).length > 0;
  }

  /**
   * Gives an event to every handler of its type; handlers that have processed it are skipped.
   *
   * @param consumer whose handlers; all by default
   * @throws the handler's error, or an AggregateError of several, after all handlers had their turn
   */
  async dispatch(event: CloudEvent, consumer?: string): Promise<void> {
    const handlers = this.handlersOf(event.type, consumer);
    const results = await Promise.allSettled(
      handlers.map((handler) => inSpan(`handle ${handler.name}`, {}, () => this.takeInTurn(event, handler))),
    );
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, `${event.type}: ${errors.map(String).join('; ')}`);
  }

  private handlersOf(type: string, consumer?: string): RegisteredHandler[] {
    return this.handlers.filter(
      (handler) => handler.type === type && (consumer === undefined || handler.consumer === consumer),
    );
  }

  private async takeInTurn(event: CloudEvent, handler: RegisteredHandler): Promise<void> {
    await this.lanes.run(`${handler.consumer}:${laneOf(event)}`, () => this.takeIn(event, handler));
  }

  private async takeIn(event: CloudEvent, { name, handle }: RegisteredHandler): Promise<void> {
    let takenInBefore = false;
    try {
      await this.transactions.run(async (tx) => {
        await this.inbox.create([{ _id: `${event.id}:${name}` }], { session: tx }).catch((error: unknown) => {
          takenInBefore = isDuplicateKey(error);
          throw error;
        });
        await handle(event, tx);
      });
    } catch (error) {
      if (!takenInBefore) throw error;
    }
  }
}
