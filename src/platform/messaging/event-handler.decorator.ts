import { SetMetadata } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import type { CloudEvent, DomainEvent, EventClass } from '../../contracts/event.js';

export const EVENT_HANDLER = 'eventHandler';

/** The envelope as a handler of an event sees it. */
export type EventOf<E extends DomainEvent> = CloudEvent<E['data']>;

type Handler<T extends object> = (event: CloudEvent<T>, session: ClientSession) => Promise<void>;

/**
 * Marks a listener's method as the handler of an event. It runs in a transaction of its own that also holds the mark
 * "taken in" (`<event id>:<class>.<method>`): at most once in effect, and again from the start when it throws.
 */
export function EventHandler<T extends object>(eventClass: EventClass<T>) {
  return (target: object, key: string, descriptor: TypedPropertyDescriptor<Handler<T>>): void => {
    SetMetadata(EVENT_HANDLER, eventClass.type)(target, key, descriptor);
  };
}
