import {
  type Attributes,
  type Context,
  context,
  createContextKey,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

/** Where there is no SDK (`startTelemetry`), its spans are nothing and cost nothing. */
export const tracer = trace.getTracer('scalable-api');

const CLIENT_PARENT = createContextKey("the parent span is a client's");

export interface SpanDescription {
  kind?: SpanKind;
  /** No values of users': neither addresses nor texts, tokens or the messages of errors. */
  attributes?: Attributes;
  /** `traceparent` (W3C Trace Context) of what it continues; null or undefined: it begins a trace. Left out: what goes on here. */
  continues?: string | null | undefined;
}

/** Marks a context whose parent span comes from a client: the sampler then decides as for the start of a trace. */
export function markClientParent(parent: Context): Context {
  return parent.setValue(CLIENT_PARENT, true);
}

/** Whether the parent span of this context comes from a client. */
export function hasClientParent(parent: Context): boolean {
  return parent.getValue(CLIENT_PARENT) === true;
}

/** Does `work` as a span; it has failed if `work` throws. */
export async function inSpan<T>(name: string, description: SpanDescription, work: () => Promise<T>): Promise<T> {
  const { kind, attributes, continues } = description;
  const parent = 'continues' in description ? contextOf(continues) : context.active();
  const span = tracer.startSpan(name, { ...(kind && { kind }), ...(attributes && { attributes }) }, parent);
  try {
    return await context.with(trace.setSpan(parent, span), work);
  } catch (error) {
    markFailed(error, span);
    throw error;
  } finally {
    span.end();
  }
}

/** Notes that a span, or what goes on here, has failed, and by which error. Its message stays here: it may hold anything. */
export function markFailed(error: unknown, span: Span | undefined = trace.getActiveSpan()): void {
  span?.setAttribute('error.type', error instanceof Error ? error.constructor.name : typeof error);
  span?.setStatus({ code: SpanStatusCode.ERROR });
}

/** The current span as a `traceparent`, for work that continues it later or elsewhere; null where nothing is traced. */
export function currentTraceparent(): string | null {
  const carrier: { traceparent?: string } = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent ?? null;
}

/** The ids under which log lines and error reports are found beside a trace. */
export function traceIds(): { trace_id: string; span_id: string } | undefined {
  const span = trace.getActiveSpan()?.spanContext();
  return span && { trace_id: span.traceId, span_id: span.spanId };
}

function contextOf(traceparent: string | null | undefined): Context {
  return propagation.extract(ROOT_CONTEXT, { traceparent: traceparent ?? undefined });
}
