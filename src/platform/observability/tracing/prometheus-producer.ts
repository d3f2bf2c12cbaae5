import {
  AggregationTemporality,
  type CollectionResult,
  DataPointType,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import type { Resource } from '@opentelemetry/resources';
import { type MetricObjectWithValues, type MetricValue, register } from 'prom-client';

type PrometheusMetric = MetricObjectWithValues<MetricValue<string> & { metricName?: string }>;
type Time = [seconds: number, nanoseconds: number];
type Labels = Record<string, string | number>;

/** Counts of a histogram's buckets, cumulative as Prometheus has them, by their upper bounds. */
interface Buckets {
  labels: Labels;
  bounds: [bound: number, count: number][];
  sum: number;
  count: number;
}

const VALUE_TYPE_DOUBLE = 1;
const SCOPE = { name: 'scalable-api' };

/** The metrics that `/metrics` shows, as OpenTelemetry has them. */
export class PrometheusProducer implements MetricProducer {
  private readonly startTime: Time = [Math.floor(Date.now() / 1000 - process.uptime()), 0];

  constructor(private readonly resource: Resource) {}

  async collect(): Promise<CollectionResult> {
    const found = (await register.getMetricsAsJSON()) as PrometheusMetric[];
    const endTime: Time = [Math.floor(Date.now() / 1000), (Date.now() % 1000) * 1e6];
    const metrics = found.map((metric) => this.toMetricData(metric, endTime));
    return { resourceMetrics: { resource: this.resource, scopeMetrics: [{ scope: SCOPE, metrics }] }, errors: [] };
  }

  private toMetricData(metric: PrometheusMetric, endTime: Time): MetricData {
    const { name, help: description, values } = metric;
    const { startTime } = this;
    const common = {
      descriptor: { name, description, unit: '', valueType: VALUE_TYPE_DOUBLE },
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
    };
    const type = String(metric.type);
    if (type === 'histogram') {
      const dataPoints = bucketsOf(name, values).map((buckets) => ({
        startTime,
        endTime,
        attributes: buckets.labels,
        value: toHistogram(buckets),
      }));
      return { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints };
    }
    const dataPoints = values
      .filter(({ value }) => !Number.isNaN(value))
      .map(({ labels, value }) => ({ startTime, endTime, attributes: labels as Labels, value }));
    if (type === 'counter') return { ...common, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints };
    return { ...common, dataPointType: DataPointType.GAUGE, dataPoints };
  }
}

function bucketsOf(name: string, values: PrometheusMetric['values']): Buckets[] {
  const series = new Map<string, Buckets>();
  for (const { metricName, labels, value } of values) {
    const { le, ...own } = labels as Labels;
    const key = JSON.stringify(own);
    const buckets = series.get(key) ?? { labels: own, bounds: [], sum: 0, count: 0 };
    series.set(key, buckets);
    if (metricName === `${name}_sum`) buckets.sum = value;
    else if (metricName === `${name}_count`) buckets.count = value;
    else if (le !== '+Inf') buckets.bounds.push([Number(le), value]);
  }
  return [...series.values()];
}

function toHistogram({ bounds, sum, count }: Buckets) {
  const cumulative = [...bounds.map(([, upTo]) => upTo), count];
  const counts = cumulative.map((upTo, index) => upTo - (cumulative[index - 1] ?? 0));
  return { buckets: { boundaries: bounds.map(([bound]) => bound), counts }, sum, count };
}
