/** Injects the types of all events that this release publishes (`string[]`), whichever modules this process serves. */
export const EVENT_TYPES = Symbol('EVENT_TYPES');
