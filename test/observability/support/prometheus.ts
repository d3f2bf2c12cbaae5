import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from '../../../local/ports.js';
import { waitFor } from '../../support/wait-for.js';
import { readYaml, FOLDER, RULES } from './rules.js';

export const SCRAPE_INTERVAL_MS = 5000;

interface Config {
  global: Record<string, string>;
  rule_files: string[];
  scrape_configs: { job_name: string; static_configs: { targets: string[]; labels?: Record<string, string> }[] }[];
}

/** One sample of an instant vector; the value as Prometheus writes it. */
export interface Sample {
  metric: Record<string, string>;
  value: number;
}

/** What rules group by, and Kubernetes or the relabelling of prometheus.yaml sets. */
const TARGET_LABELS = { namespace: 'test', module: 'all' };

const cleanUps: (() => Promise<void>)[] = [];

/** A real Prometheus, with the repository's rules, that scrapes these addresses as the job of its configuration, and often. */
export class Prometheus {
  private constructor(private readonly url: string) {}

  /** @param targets `host:port`; it ends after the test file */
  static async start(targets: string[]): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), 'scalable-api-test-prometheus-'));
    const {
      rule_files,
      scrape_configs: [service],
    } = readYaml<Config>(`${FOLDER}/prometheus.yaml`);
    const interval = `${SCRAPE_INTERVAL_MS}ms`;
    const config: Config = {
      global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
      rule_files,
      scrape_configs: [{ job_name: service!.job_name, static_configs: [{ targets, labels: TARGET_LABELS }] }],
    };
    copyFileSync(RULES, join(folder, 'rules.yaml'));
    writeFileSync(join(folder, 'prometheus.yaml'), stringify(config));
    const address = `127.0.0.1:${await freePort()}`;
    const options = { 'config.file': join(folder, 'prometheus.yaml'), 'storage.tsdb.path': join(folder, 'data') };
    const flags = Object.entries({ ...options, 'web.listen-address': address }).map(
      ([name, value]) => `--${name}=${value}`,
    );
    const child: ChildProcess = spawn('prometheus', [...flags, '--log.level=warn'], { stdio: 'ignore' });
    const ended = once(child, 'exit');
    cleanUps.push(async () => {
      child.kill();
      await ended;
      rmSync(folder, { recursive: true });
    });
    const prometheus = new Prometheus(`http://${address}`);
    await waitFor('Prometheus', async () => (await fetch(`http://${address}/-/ready`)).ok, 60_000);
    return prometheus;
  }

  /** @throws Error with Prometheus' own words where it doesn't understand the query */
  async query(expr: string): Promise<Sample[]> {
    const response = await fetch(`${this.url}/api/v1/query`, {
      method: 'POST',
      body: new URLSearchParams({ query: expr }),
    });
    const { error, data } = (await response.json()) as {
      error?: string;
      data?: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    if (!data) throw new Error(`${expr}: ${error}`);
    return data.result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
  }
}

afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
}, 60_000);
