import { MODULE_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, Reflector } from '@nestjs/core';
import type { Type } from '@nestjs/common';
import { HandledEvent } from './event-handler.decorator.js';

/** A consumer of events; with RabbitMQ it has a queue of its own. */
export interface EventConsumer {
  /** Names the queue, e.g. `tasks`. */
  name: string;
  /** The Nest module whose providers listen. */
  listeners: Type;
  /** Whether this process handles its events. */
  served: boolean;
  /** Whether it exists only with RabbitMQ. */
  brokerOnly?: boolean;
}

/** The consumers of the whole service, those that other processes serve included. */
export const EVENT_CONSUMERS = Symbol('EVENT_CONSUMERS');

/** A method marked with `@EventHandler`. */
export interface Subscription {
  listener: Type;
  method: string;
  /** The event's, e.g. `tasks.task-completed.v1`. */
  type: string;
}

/** All subscriptions of a Nest module's own providers, whether it is loaded or not. */
export function subscriptionsOf({ listeners }: EventConsumer): Subscription[] {
  const providers = (Reflect.getMetadata(MODULE_METADATA.PROVIDERS, listeners) ?? []) as unknown[];
  const classes = providers.filter((provider): provider is Type => typeof provider === 'function');
  const reflector = new Reflector();
  return classes.flatMap((listener) => {
    const prototype = listener.prototype as Record<string, object>;
    return new MetadataScanner().getAllMethodNames(prototype).flatMap((method) => {
      const type = reflector.get(HandledEvent, prototype[method] as () => unknown) as string | undefined;
      return type === undefined ? [] : [{ listener, method, type }];
    });
  });
}
