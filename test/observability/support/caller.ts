import { randomBytes } from 'node:crypto';
import { waitFor } from '../../support/wait-for.js';
import type { OtlpReceiver, ReceivedSpan } from './otlp-receiver.js';

/** Somebody who calls with a trace of their own (W3C Trace Context). */
export class TracingCaller {
  private readonly traceId = randomBytes(16).toString('hex');
  private readonly spanId = randomBytes(8).toString('hex');

  constructor(private readonly receiver: OtlpReceiver) {}

  get headers(): Record<string, string> {
    return { traceparent: `00-${this.traceId}-${this.spanId}-01` };
  }

  /** The spans that have arrived of this trace. */
  get spans(): ReceivedSpan[] {
    return this.receiver.spans.filter(({ traceId }) => traceId === this.traceId);
  }

  /** All spans of the trace, once one of this name and everything above it is there: one tree, whose root is the call. */
  async treeWith(name: string): Promise<ReceivedSpan[]> {
    return await waitFor(`a tree with "${name}"`, () => {
      const { spans } = this;
      const known = new Set([this.spanId, ...spans.map(({ spanId }) => spanId)]);
      const whole = spans.every(({ parentSpanId }) => known.has(parentSpanId ?? ''));
      return whole && spans.some((span) => span.name === name) && spans;
    });
  }

  /** The names from a span up to the root. */
  pathTo(name: string): string[] {
    const { spans } = this;
    const path: ReceivedSpan[] = [];
    let next = spans.find((span) => span.name === name);
    while (next) {
      path.push(next);
      const { parentSpanId } = next;
      next = spans.find(({ spanId }) => spanId === parentSpanId);
    }
    return path.at(-1)?.parentSpanId === this.spanId ? path.map((span) => span.name) : [];
  }
}
