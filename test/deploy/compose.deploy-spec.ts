import 'reflect-metadata';
import { createECDH } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { KEY_KINDS } from '../../src/cli/keys/key-kinds.js';
import { keys } from '../../src/cli/keys/keys.js';
import { readEnvironment } from '../../src/config/environment.js';
import { MODULES } from '../../src/contracts/modules.js';
import { compose, run } from './support/tools.js';

interface Service {
  image: string;
  command?: string[];
  environment?: Record<string, string>;
  secrets?: { source: string; target: string }[];
  ports?: { host_ip?: string; published: string; target: number }[];
  networks: Record<string, unknown>;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
  stop_grace_period?: string;
  read_only?: boolean;
  user?: string;
  scale?: number;
  volumes?: { type: string; source: string }[];
  cap_drop?: string[];
  mem_limit?: string;
  logging?: { driver: string; options: Record<string, string> };
}
interface Project {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean }>;
  secrets: Record<string, { file: string }>;
}

interface PrometheusConfig {
  alerting: { alertmanagers: { static_configs: [{ targets: string[] }] }[] };
  scrape_configs: { static_configs: [{ targets: string[] }]; dns_sd_configs?: { names: string[] }[] }[];
}

const upstreamHosts = (name: string) =>
  [...readFileSync(`docker/nginx/upstreams/${name}.conf`, 'utf8').matchAll(/^\s*server (\S+):5000 /gm)].map(
    ([, host]) => host,
  );

const REPLICAS = ['api-1', 'api-2', 'api-3'];
const MEMBERS = ['mongo-1', 'mongo-2', 'mongo-3'];

const config = (...profiles: string[]) =>
  JSON.parse(
    compose([
      ...profiles.flatMap((profile) => ['--profile', profile]),
      ...['-f', 'docker/compose.yaml', 'config', '--format', 'json'],
    ]),
  ) as Project;

describe('docker/compose.yaml', () => {
  let project: Project;
  let services: Record<string, Service>;

  beforeAll(() => {
    project = config();
    services = project.services;
  });

  it('is a project that docker compose accepts, of images with a version', () => {
    expect(Object.keys(services).sort()).toEqual(
      [...REPLICAS, ...MEMBERS, 'indexes', 'mail', 'mongo-init', 'nginx', 'rabbitmq', 'redis'].sort(),
    );
    for (const { image } of Object.values(services)) expect(image).toMatch(/:(?!latest$)[\w.-]+$/);
  });

  it('has NGINX send requests to exactly the replicas there are', () => {
    for (const name of ['least-conn', 'weighted', 'round-robin', 'ip-hash']) {
      expect(upstreamHosts(name)).toEqual(REPLICAS);
    }
    expect(Object.keys(services['nginx']!.depends_on!)).toEqual(REPLICAS);
    for (const replica of REPLICAS) expect(services[replica]!.networks).toHaveProperty('edge');
  });

  it('opens NGINX to everyone, the rest to this machine at most, and the data to nobody', () => {
    const published = Object.entries(services).flatMap(([name, { ports = [] }]) =>
      ports.map(({ host_ip = '*', published: port }) => `${name} ${host_ip}:${port}`),
    );
    expect(published.sort()).toEqual([
      'api-1 127.0.0.1:5000',
      'api-2 127.0.0.1:5001',
      'api-3 127.0.0.1:5002',
      'mail 127.0.0.1:8025',
      'nginx *:8080',
      'nginx *:8443',
    ]);
    expect(project.networks['data']!.internal).toBe(true);
    for (const name of [...MEMBERS, 'redis', 'rabbitmq'])
      expect(Object.keys(services[name]!.networks)).toEqual(['data']);
  });

  it('has mails link to NGINX by TLS, to which NGINX redirects', () => {
    const split = config('split').services;
    for (const [proxy, { environment }, plain] of [
      [services['nginx']!, services['api-1']!, '8080'],
      [split['nginx-split']!, split['auth']!, '8081'],
    ] as const) {
      expect(proxy.volumes!.map(({ source }) => source)).toContainEqual(
        expect.stringMatching(/\/nginx\/listen\/https\.conf$/),
      );
      const url = new URL(environment!['PUBLIC_URL']!);
      const published = new Map(proxy.ports!.map(({ published: port, target }) => [target, port]));
      expect([url.protocol, url.port, published.get(8080)]).toEqual(['https:', published.get(8443), plain]);
      // For a port that is published, the redirect leads to the one of TLS.
      expect(readFileSync('docker/nginx/common/https.conf', 'utf8')).toMatch(
        new RegExp(`:${plain}\\$" \\$host_${plain}:${url.port};`, 'm'),
      );
    }
  });

  it('starts in order: the replica set, its indexes, the replicas, NGINX', () => {
    const conditions = (name: string) =>
      Object.entries(services[name]!.depends_on!).map(([needed, { condition }]) => `${needed} ${condition}`);
    expect(conditions('mongo-init')).toEqual(MEMBERS.map((name) => `${name} service_healthy`));
    expect(conditions('indexes')).toContain('mongo-init service_completed_successfully');
    for (const name of REPLICAS) expect(conditions(name)).toContain('indexes service_completed_successfully');
    expect(conditions('nginx')).toEqual(REPLICAS.map((name) => `${name} service_healthy`));
    for (const name of [...REPLICAS, ...MEMBERS, 'redis', 'nginx'])
      expect(services[name]).toHaveProperty('healthcheck');
    expect(services['indexes']!.command).toEqual(['dist/cli.js', 'migrate']);
  });

  it('makes one replica set of the members, and has the service use all of it', () => {
    for (const name of MEMBERS) expect(services[name]!.command).toEqual(expect.arrayContaining(['--replSet', 'rs0']));
    // `$$` is compose's `$`.
    expect(services['mongo-init']!.command!.at(-1)).toContain('`mongo-$${n}:27017`');
    expect(services['api-1']!.environment!['MONGODB_URI']).toBe(
      `mongodb://${MEMBERS.join(',')}/scalable-api?replicaSet=rs0`,
    );
  });

  it('stops a replica only after its drain', () => {
    for (const name of REPLICAS) {
      const { environment, stop_grace_period: grace } = services[name]!;
      expect(grace).toMatch(/^\d+s$/);
      expect(parseInt(grace!, 10)).toBeGreaterThanOrEqual(Number(environment!['SHUTDOWN_DRAIN_SECONDS']) + 30);
    }
  });

  it('runs the replicas and NGINX without rights: read-only, no capabilities, not root', () => {
    for (const name of [...REPLICAS, 'indexes', 'nginx']) {
      expect(services[name]).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    }
    expect(services['nginx']!.user).toBe('101:101');
    expect(readFileSync('docker/Dockerfile', 'utf8')).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
  });

  it('gives the service an environment that it starts with, its secrets from files that make-secrets.sh makes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'deploy-'));
    try {
      run('openssl', ['version']);
      run('sh', ['docker/make-secrets.sh', folder]);
      const all = config('split');
      const split = MODULES.flatMap((name) => [name, `${name}-indexes`]);
      for (const name of [...REPLICAS, 'indexes', ...split]) {
        const { environment, secrets } = all.services[name]!;
        const mounted = new Map(
          secrets!.map(({ source, target }) => [
            target.replace(/^(?!\/)/, '/run/secrets/'),
            all.secrets[source]!.file.replace(/^.*docker\/secrets/, folder),
          ]),
        );
        const inside = Object.entries(environment!).map(([key, value]) => [key, mounted.get(value) ?? value]);
        const read = readEnvironment(Object.fromEntries(inside) as NodeJS.ProcessEnv);
        expect(read).toMatchObject({ NODE_ENV: 'production', PORT: 5000, TRUST_PROXY: 1 });
        expect(read.APP_SECRETS === undefined).toBe(split.includes(name));
        expect(secrets!.some(({ source }) => source === 'app_secrets')).toBe(!split.includes(name));
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the profile split', () => {
  let services: Record<string, Service>;
  beforeAll(() => {
    services = config('split').services;
  });

  it('has NGINX lead to each module, which runs twice on a database of its own, once its indexes are there', () => {
    expect(upstreamHosts('split')).toEqual(MODULES);
    expect(Object.keys(services['nginx-split']!.depends_on!).sort()).toEqual([...MODULES].sort());
    const databases = MODULES.map((name) => {
      const { environment, depends_on: needed, scale } = services[name]!;
      expect(scale).toBe(2);
      expect(environment).toMatchObject({ MODULES: name, EVENT_BUS: 'rabbitmq', RABBITMQ_URL: 'amqp://rabbitmq' });
      expect(needed![`${name}-indexes`]!.condition).toBe('service_completed_successfully');
      expect(services[`${name}-indexes`]).toMatchObject({ environment, command: ['dist/cli.js', 'migrate'] });
      return environment!['MONGODB_URI'];
    });
    expect(new Set(databases).size).toBe(MODULES.length);
  });
});

describe('the profile observability', () => {
  let services: Record<string, Service>;
  beforeAll(() => {
    services = config('observability').services;
  });

  it('scrapes the replicas by their names, and tells Alertmanager', () => {
    const prometheus = parse(readFileSync('observability/prometheus/prometheus.yaml', 'utf8')) as PrometheusConfig;
    const [{ targets }] = prometheus.scrape_configs[0]!.static_configs;
    expect(targets).toEqual(REPLICAS.map((name) => `${name}:9464`));
    expect(
      prometheus.scrape_configs[0]!.dns_sd_configs![0]!.names.filter((name) => name in config('split').services),
    ).toHaveLength(4);
    expect(prometheus.alerting.alertmanagers[0]!.static_configs[0].targets).toEqual(['alertmanager:9093']);
    for (const name of ['prometheus', 'alertmanager', 'grafana', 'jaeger']) {
      expect(Object.keys(services[name]!.networks)).toEqual(['edge']);
    }
  });

  it("shows everything to this machine alone, and the logs' store to nobody", () => {
    const names = ['prometheus', 'alertmanager', 'grafana', 'jaeger', 'kibana'];
    for (const name of names) expect(services[name]!.ports!.map(({ host_ip: host }) => host)).toEqual(['127.0.0.1']);
    for (const name of ['elasticsearch', 'logs-init', 'filebeat']) {
      expect(services[name]!.ports).toBeUndefined();
      expect(Object.keys(services[name]!.networks)).toEqual(['data']);
    }
  });

  it('tells Elasticsearch the types before the first line can come', () => {
    expect(services['filebeat']!.depends_on).toMatchObject({
      'logs-init': { condition: 'service_completed_successfully' },
    });
  });

  it('traces only where it is asked to', () => {
    expect(services['api-1']!.environment).not.toHaveProperty('OTEL_EXPORTER_OTLP_ENDPOINT', expect.any(String));
  });
});

describe('every profile', () => {
  it.each(['split', 'storage', 'observability'])('is a project that docker compose accepts (%s)', (profile) => {
    const names = Object.keys(config(profile).services);
    expect(names.length).toBeGreaterThan(Object.keys(config().services).length);
    for (const { image } of Object.values(config(profile).services)) expect(image).toMatch(/:(?!latest$)[\w.-]+$/);
  });

  it('bounds the memory and the log of each service, and the cache of each database', () => {
    for (const [name, service] of Object.entries(config('split', 'storage', 'observability').services)) {
      const { mem_limit: memory, logging } = service;
      expect([name, Number(memory)]).toEqual([name, expect.any(Number)]);
      expect(Number(memory)).toBeGreaterThan(0);
      expect(logging).toEqual({ driver: 'json-file', options: { 'max-file': '5', 'max-size': '20m' } });
      if (MEMBERS.includes(name)) expect(service.command!.join(' ')).toContain('--wiredTigerCacheSizeGB 0.5');
    }
  });

  it('mounts only files that are there, or that make-secrets.sh makes', () => {
    for (const { volumes = [] } of Object.values(config('split', 'storage', 'observability').services)) {
      for (const { type, source } of volumes) {
        // Docker's own folder is where Docker is.
        if (type === 'bind' && source !== '/var/lib/docker/containers') expect(existsSync(source)).toBe(true);
      }
    }
  });
});

describe('docker/make-secrets.sh', () => {
  it('closes the folder to other users and keeps what is there', () => {
    const folder = mkdtempSync(join(tmpdir(), 'deploy-'));
    try {
      const make = () => run('sh', ['docker/make-secrets.sh', folder]);
      expect(make()).toContain('jwt_private_keys');
      expect(statSync(folder).mode & 0o077).toBe(0);
      const first = readFileSync(join(folder, 'app_secrets'), 'utf8');
      expect(make()).toBe('');
      expect(readFileSync(join(folder, 'app_secrets'), 'utf8')).toBe(first);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('derives the keys of each module as the command does', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'deploy-'));
    try {
      run('sh', ['docker/make-secrets.sh', folder]);
      const source = { APP_SECRETS_FILE: join(folder, 'app_secrets') };
      for (const name of MODULES) {
        const { output } = await keys('derive', KEY_KINDS['app-secret'], source, { modules: [name] });
        expect(readFileSync(join(folder, `app_keys_${name}`), 'utf8')).toBe(output);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('makes a pair for Web Push, as the service reads it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'deploy-'));
    try {
      run('sh', ['docker/make-secrets.sh', folder]);
      const [privateKey, publicKey] = ['private', 'public'].map((half) => {
        return readFileSync(join(folder, `vapid_${half}_key`), 'utf8');
      }) as [string, string];
      expect(privateKey).toMatch(/^[\w-]{43}$/);
      const pair = createECDH('prime256v1');
      pair.setPrivateKey(privateKey, 'base64url');
      expect(publicKey).toBe(pair.getPublicKey('base64url'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('writes where git never looks', () => {
    expect(readFileSync('docker/.gitignore', 'utf8')).toContain('secrets/');
    expect(readFileSync('.dockerignore', 'utf8')).toMatch(/^\*$/m);
  });
});
