import { hostname } from 'node:os';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { detectResources, envDetector, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { Logger } from 'pino';
import type { ObservabilityEnvironment } from '../../../config/areas/observability.environment.js';
import { version } from '../../../config/version.js';
import { PrometheusProducer } from './prometheus-producer.js';
import { traceRedis } from './redis-spans.js';
import { createSampler } from './sampler.js';

/** What the SDK reads from the process's environment; here it may have come from a file or a secret source. */
const STANDARD_VARIABLES = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_SERVICE_NAME',
  'OTEL_RESOURCE_ATTRIBUTES',
] as const satisfies (keyof ObservabilityEnvironment)[];

interface Exporter {
  export(items: unknown, done: (result: { code: number; error?: Error }) => void): void;
}

/**
 * Sends traces, and metrics where they are wanted, in batches to `OTEL_EXPORTER_OTLP_ENDPOINT`. What can't be sent in time is
 * dropped; nothing waits for it.
 *
 * @returns what sends the rest
 */
export function startTelemetry(environment: ObservabilityEnvironment, logger: Logger): () => Promise<void> {
  for (const name of STANDARD_VARIABLES) {
    if (environment[name] !== undefined) process.env[name] = String(environment[name]);
  }
  const resource = describeProcess();
  const traces = new NodeTracerProvider({
    resource,
    sampler: createSampler(environment),
    spanProcessors: [new BatchSpanProcessor(tellingOutages(new OTLPTraceExporter(), 'traces', logger))],
  });
  traces.register();
  traceRedis();
  const metrics = environment.OTEL_METRICS_EXPORTER === 'otlp' ? startMetrics(resource, logger) : undefined;
  return async () => {
    await Promise.all([traces.shutdown(), metrics?.shutdown()]);
  };
}

function startMetrics(resource: Resource, logger: Logger): MeterProvider {
  const exporter = tellingOutages(new OTLPMetricExporter(), 'metrics', logger);
  const reader = new PeriodicExportingMetricReader({ exporter, metricProducers: [new PrometheusProducer(resource)] });
  return new MeterProvider({ resource, readers: [reader] });
}

function describeProcess(): Resource {
  return resourceFromAttributes({
    'service.version': version,
    'service.instance.id': `${hostname()}:${process.pid}`,
  }).merge(detectResources({ detectors: [envDetector] }));
}

/** One line when nothing arrives any more, and one when it does again, not one for each attempt. */
function tellingOutages<E extends Exporter>(exporter: E, what: string, logger: Logger): E {
  const send = exporter.export.bind(exporter);
  let arriving = true;
  exporter.export = (items: unknown, done: Parameters<E['export']>[1]) =>
    send(items, (result) => {
      const { code, name } = (result.error ?? {}) as NodeJS.ErrnoException;
      const arrived = result.code === 0;
      if (!arrived && arriving) logger.warn(`${what} can't be sent and are dropped meanwhile: ${code ?? name}`);
      if (arrived && !arriving) logger.info(`${what} are sent again`);
      arriving = arrived;
      done(result);
    });
  return exporter;
}
