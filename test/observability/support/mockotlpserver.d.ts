declare module '@elastic/mockotlpserver' {
  type Attributes = Record<string, unknown>;
  interface Resource {
    attributes: Attributes;
  }

  export interface NormalizedSpan {
    traceId: string;
    spanId: string;
    parentSpanId?: string;
    name: string;
    kind: string;
    attributes?: Attributes;
    status?: { code?: string };
  }

  export interface NormalizedTrace {
    resourceSpans: { resource: Resource; scopeSpans: { spans: NormalizedSpan[] }[] }[];
  }

  export interface NormalizedMetric {
    name: string;
    sum?: { isMonotonic: boolean; dataPoints: { attributes?: Attributes; asDouble: number }[] };
    gauge?: { dataPoints: { attributes?: Attributes; asDouble: number }[] };
    histogram?: {
      dataPoints: {
        attributes?: Attributes;
        count: string;
        sum: number;
        bucketCounts: string[];
        explicitBounds: number[];
      }[];
    };
  }

  export interface NormalizedMetrics {
    resourceMetrics: { resource: Resource; scopeMetrics: { metrics: NormalizedMetric[] }[] }[];
  }

  export class MockOtlpServer {
    constructor(options: {
      logLevel: string;
      services: 'http'[];
      httpHostname: string;
      httpPort: number;
      onTrace(trace: unknown): void;
      onMetrics(metrics: unknown): void;
    });
    readonly httpUrl: URL;
    start(): Promise<void>;
    close(): Promise<void>;
  }
  export function normalizeTrace(trace: unknown): NormalizedTrace;
  export function normalizeMetrics(metrics: unknown): NormalizedMetrics;
}
