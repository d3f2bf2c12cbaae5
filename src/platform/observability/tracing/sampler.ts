import { type Attributes, type Context, type Link, type SpanKind, trace } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  RandomIdGenerator,
  type Sampler,
  type SamplingResult,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import type { ObservabilityEnvironment } from '../../../config/areas/observability.environment.js';
import { hasClientParent } from './spans.js';

const PARENT_BASED = 'parentbased_';

/** The sampler of `OTEL_TRACES_SAMPLER`, for which a request with a client's `traceparent` is the start of a trace. */
export function createSampler(environment: ObservabilityEnvironment): Sampler {
  const { OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: ratio } = environment;
  const root = createRootSampler(name.replace(PARENT_BASED, ''), ratio);
  return new ClientParentSampler(name.startsWith(PARENT_BASED) ? new ParentBasedSampler({ root }) : root);
}

function createRootSampler(name: string, ratio: number): Sampler {
  if (name === 'always_off') return new AlwaysOffSampler();
  return name === 'traceidratio' ? new TraceIdRatioBasedSampler(ratio) : new AlwaysOnSampler();
}

/**
 * Decides without what the client chose: neither its sampling flag counts nor its trace id, from which a ratio is computed.
 * Otherwise anybody could have their requests recorded at the operator's cost, or hide them.
 */
class ClientParentSampler implements Sampler {
  private readonly ids = new RandomIdGenerator();

  constructor(private readonly sampler: Sampler) {}

  shouldSample(
    context: Context,
    traceId: string,
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    links: Link[],
  ): SamplingResult {
    if (!hasClientParent(context)) return this.sampler.shouldSample(context, traceId, name, kind, attributes, links);
    const id = this.ids.generateTraceId();
    return this.sampler.shouldSample(trace.deleteSpan(context), id, name, kind, attributes, links);
  }

  toString(): string {
    return `ClientParent{${this.sampler.toString()}}`;
  }
}
