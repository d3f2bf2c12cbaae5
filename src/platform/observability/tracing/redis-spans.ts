import { tracingChannel } from 'node:diagnostics_channel';
import { context, type Span, SpanKind, trace } from '@opentelemetry/api';
import { inSpan, markFailed, type SpanDescription, tracer } from './spans.js';

interface CommandMessage {
  command: string;
  error?: unknown;
}

/** Makes a span of each command that is a part of a trace, from what ioredis publishes (`node:diagnostics_channel`). */
export function traceRedis(): void {
  const spans = new WeakMap<object, Span>();
  tracingChannel<unknown, CommandMessage>('ioredis:command').subscribe({
    start(message) {
      // Sweeps and probes are nobody's: each would be a trace of its own.
      if (!trace.getSpan(context.active())) return;
      const operation = message.command.toUpperCase();
      spans.set(message, tracer.startSpan(operation, spanOf(operation)));
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

/** Sends a command of another client than ioredis as a span, if it is a part of a trace. */
export function inRedisSpan<T>(operation: string, command: () => Promise<T>): Promise<T> {
  return trace.getSpan(context.active()) ? inSpan(operation, spanOf(operation), command) : command();
}

function spanOf(operation: string): SpanDescription & { kind: SpanKind } {
  return { kind: SpanKind.CLIENT, attributes: { 'db.system.name': 'redis', 'db.operation.name': operation } };
}
