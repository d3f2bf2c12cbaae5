// Writes Prometheus' rules as the resource that its operator takes on Kubernetes: one source for both.
import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { parse, stringify } from 'yaml';

const source = 'observability/prometheus/rules.yaml';
const target = 'k8s/components/monitoring/prometheus-rule.yaml';

const manifest = {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PrometheusRule',
  metadata: { name: 'scalable-api', labels: { app: 'api' } },
  spec: parse(readFileSync(source, 'utf8')),
};
const text = `# Written by scripts/prometheus-rule.mjs from ${source}: change that one.\n${stringify(manifest, { lineWidth: 0 })}`;
writeFileSync(target, await format(text, { ...(await resolveConfig(target)), parser: 'yaml' }));
