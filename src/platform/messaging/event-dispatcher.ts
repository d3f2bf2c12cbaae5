import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { InjectModel } from '@nestjs/mongoose';
import type { ClientSession, Model } from 'mongoose';
import type { CloudEvent } from '../../contracts/event.js';
import { isDuplicateKey } from '../database/duplicate-key.js';
import { Transactions } from '../database/transactions.js';
import { EVENT_HANDLER } from './event-handler.decorator.js';
import { InboxEntry } from './inbox.schema.js';

interface RegisteredHandler {
  /** `<class>.<method>`: part of the mark in the inbox, so renaming one makes it a new handler. */
  name: string;
  handle: (event: CloudEvent, session: ClientSession) => Promise<void>;
}

/** Finds all methods marked with `@EventHandler` and gives each event to its handlers, once in effect. */
@Injectable()
export class EventDispatcher implements OnModuleInit {
  private readonly handlers = new Map<string, RegisteredHandler[]>();

  constructor(
    @InjectModel(InboxEntry.name) private readonly inbox: Model<InboxEntry>,
    private readonly transactions: Transactions,
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  onModuleInit(): void {
    for (const { instance } of this.discovery.getProviders() as { instance?: Record<string, unknown> }[]) {
      if (!instance || typeof instance !== 'object') continue;
      const prototype = Object.getPrototypeOf(instance) as object | null;
      for (const method of prototype ? this.scanner.getAllMethodNames(prototype) : []) {
        const handler = instance[method] as RegisteredHandler['handle'];
        const type = this.reflector.get<string | undefined>(EVENT_HANDLER, handler);
        if (type)
          this.register(type, { name: `${instance.constructor.name}.${method}`, handle: handler.bind(instance) });
      }
    }
  }

  /**
   * Lets every handler of this event's type take it in; those that have already are passed over.
   *
   * @throws AggregateError of what went wrong, after all handlers had their turn
   */
  async dispatch(event: CloudEvent): Promise<void> {
    const handlers = this.handlers.get(event.type) ?? [];
    const results = await Promise.allSettled(handlers.map((handler) => this.takeIn(event, handler)));
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    if (errors.length > 0) throw new AggregateError(errors, `${event.type}: ${errors.map(String).join('; ')}`);
  }

  private register(type: string, handler: RegisteredHandler): void {
    this.handlers.set(type, [...(this.handlers.get(type) ?? []), handler]);
  }

  private async takeIn(event: CloudEvent, { name, handle }: RegisteredHandler): Promise<void> {
    let takenInBefore = false;
    try {
      await this.transactions.run(async (session) => {
        await this.inbox.create([{ _id: `${event.id}:${name}` }], { session }).catch((error: unknown) => {
          takenInBefore = isDuplicateKey(error);
          throw error;
        });
        await handle(event, session);
      });
    } catch (error) {
      if (!takenInBefore) throw error;
    }
  }
}
