import { Reflector } from '@nestjs/core';
import type { ClientSession } from 'mongoose';
import type { CloudEvent, DomainEvent, EventClass } from '../../contracts/event.js';

/** Metadata of a handler: the type of its event, e.g. `tasks.task-completed.v1`. */
export const HandledEvent = Reflector.createDecorator<string>();

/** The envelope as a handler of an event sees it. */
export type EventOf<E extends DomainEvent> = CloudEvent<E['data']>;

type Handler<T extends object> = (event: CloudEvent<T>, tx: ClientSession) => Promise<void>;

/**
 * Marks a listener's method as the handler of an event. It runs in a transaction of its own that also holds the mark
 * "taken in" (`<event id>:<class>.<method>`): at most once in effect, and again from the start when it throws.
 */
export function EventHandler<T extends object>(eventClass: EventClass<T>) {
  return (target: object, key: string, descriptor: TypedPropertyDescriptor<Handler<T>>): void => {
    HandledEvent(eventClass.type)(target, key, descriptor);
  };
}
