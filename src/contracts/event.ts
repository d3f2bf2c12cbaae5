/** A CloudEvents 1.0 envelope (JSON format); `data` is plain JSON, with ids, never documents. */
export interface CloudEvent<T = unknown> {
  specversion: '1.0';
  /** Unique: consumers dedupe by it. */
  id: string;
  /** The publishing module, e.g. `/tasks`. */
  source: string;
  /** e.g. `tasks.task-completed.v1` */
  type: string;
  /** The id of the thing the event is about. */
  subject: string;
  /** When it happened, RFC 3339. */
  time: string;
  datacontenttype: 'application/json';
  /** Set on the way through a broker: what the consumer continues (CloudEvents' Distributed Tracing extension). */
  traceparent?: string;
  data: T;
}

/**
 * An event as a module publishes it: what happened (the class and its `type`), to whom or what (`subject`), and the
 * data. `data.version`, where there is one, is the version of the subject after the change; a consumer ignores what
 * is older than what it has applied.
 */
export abstract class DomainEvent<T extends object = object> {
  constructor(
    readonly subject: string,
    readonly data: T,
  ) {}

  get type(): string {
    return (this.constructor as EventClass<T>).type;
  }
}

/** The class of an event, as `@EventHandler(TaskCompletedEvent)` takes it. */
export interface EventClass<T extends object = object> {
  readonly type: string;
  new (subject: string, data: T): DomainEvent<T>;
}
