import { tracingChannel } from 'node:diagnostics_channel';
import { context, type Span, SpanKind, trace } from '@opentelemetry/api';
import { markFailed, tracer } from './spans.js';

interface CommandMessage {
  command: string;
  error?: unknown;
}

/** Makes a span of each command that is a part of a trace, as ioredis tells of them (`node:diagnostics_channel`). */
export function traceRedis(): void {
  const spans = new WeakMap<object, Span>();
  tracingChannel<unknown, CommandMessage>('ioredis:command').subscribe({
    start(message) {
      // Sweeps and probes are nobody's: each would be a trace of its own.
      if (!trace.getSpan(context.active())) return;
      const operation = message.command.toUpperCase();
      const attributes = { 'db.system.name': 'redis', 'db.operation.name': operation };
      spans.set(message, tracer.startSpan(operation, { kind: SpanKind.CLIENT, attributes }));
    },
    end: () => undefined,
    asyncStart: () => undefined,
    error(message) {
      markFailed(message.error, spans.get(message));
    },
    asyncEnd(message) {
      spans.get(message)?.end();
    },
  });
}
