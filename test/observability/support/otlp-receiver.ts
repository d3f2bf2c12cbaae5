import {
  MockOtlpServer,
  type NormalizedMetric,
  type NormalizedSpan,
  normalizeMetrics,
  normalizeTrace,
} from '@elastic/mockotlpserver';

export type ReceivedSpan = NormalizedSpan & {
  /** What its process says of itself. */
  resource: Record<string, unknown>;
};

/** An OTLP receiver (HTTP) that keeps what it was sent. */
export interface OtlpReceiver {
  url: string;
  spans: ReceivedSpan[];
  metrics: NormalizedMetric[];
}

const cleanUps: (() => Promise<void>)[] = [];

/** Starts one that ends after the test file; a file has one, since the library's receivers of a process hear one another. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const metrics: NormalizedMetric[] = [];
  const server = new MockOtlpServer({
    logLevel: 'error',
    services: ['http'],
    httpHostname: '127.0.0.1',
    httpPort: 0,
    onTrace: (trace) => spans.push(...spansIn(trace)),
    onMetrics: (request) => {
      const { resourceMetrics } = normalizeMetrics(request);
      metrics.push(...resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics)));
    },
  });
  await server.start();
  cleanUps.push(() => server.close());
  return { url: String(server.httpUrl).replace(/\/$/, ''), spans, metrics };
}

function spansIn(trace: unknown): ReceivedSpan[] {
  return normalizeTrace(trace).resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, resource: resource.attributes }))),
  );
}

afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
}, 60_000);
