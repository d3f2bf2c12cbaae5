import 'reflect-metadata';
import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import type { IJob } from 'kubernetes-models/batch/v1/Job';
import type { IIngress } from 'kubernetes-models/networking.k8s.io/v1/Ingress';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import type { IService } from 'kubernetes-models/v1/Service';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ProcessEnvironment } from '../../src/config/areas/process.environment.js';
import { CLOSE_TIMEOUT_MS } from '../../src/platform/shutdown/shutdown.js';
import { MODULES } from '../../src/contracts/modules.js';
import type * as Custom from './support/custom-resources.js';
import { type Manifest, problemsOf, render } from './support/manifests.js';
import { ROOT } from './support/tools.js';

const OVERLAYS = readdirSync('k8s/overlays').sort();

const rendered = new Map<string, Manifest[]>();
function manifestsOf(overlay: string): Manifest[] {
  const manifests = rendered.get(overlay) ?? render(`k8s/overlays/${overlay}`);
  rendered.set(overlay, manifests);
  return manifests;
}
function all<T>(overlay: string, kind: string): (T & Manifest)[] {
  return manifestsOf(overlay).filter((manifest) => manifest.kind === kind) as (T & Manifest)[];
}
function the<T>(overlay: string, kind: string): T & Manifest {
  const found = all<T>(overlay, kind);
  expect(found).toHaveLength(1);
  return found[0]!;
}
const podsOf = (overlay: string): IPodSpec[] => [
  ...all<IDeployment>(overlay, 'Deployment').map(({ spec }) => spec!.template.spec!),
  ...all<IJob>(overlay, 'Job').map(({ spec }) => spec!.template.spec!),
];

describe.each(OVERLAYS)('k8s/overlays/%s', (overlay) => {
  it('is what an API server would take, to the last field', async () => {
    expect(await problemsOf(manifestsOf(overlay))).toEqual([]);
  });

  it('holds no secret, and one namespace', () => {
    for (const { kind, metadata } of manifestsOf(overlay)) {
      expect(kind).not.toBe('Secret');
      expect(metadata).toMatchObject({ namespace: 'scalable-api' });
    }
  });

  it('runs every pod under the restricted standard', () => {
    expect(podsOf(overlay).length).toBeGreaterThan(0);
    for (const pod of podsOf(overlay)) {
      expect(pod.automountServiceAccountToken).toBe(false);
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      for (const { securityContext, resources } of pod.containers) {
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(resources).toMatchObject({ requests: { cpu: expect.any(String) as string }, limits: {} });
      }
    }
  });

  it('scales a Deployment by one autoscaler at most', () => {
    const targets = [
      ...all<IHorizontalPodAutoscaler>(overlay, 'HorizontalPodAutoscaler').map(({ spec }) => spec!.scaleTargetRef.name),
      ...all<Custom.IScaledObject>(overlay, 'ScaledObject').map(({ spec }) => spec.scaleTargetRef.name),
    ];
    expect(new Set(targets).size).toBe(targets.length);
    const deployments = all(overlay, 'Deployment').map(({ metadata }) => metadata.name);
    for (const target of targets) expect(deployments).toContain(target);
  });

  it('never leads requests to the metrics', () => {
    for (const { metadata, spec } of all<IService>(overlay, 'Service')) {
      const ports = spec!.ports!.map(({ targetPort }) => targetPort);
      expect(ports).toEqual(metadata.labels!['endpoint'] === 'metrics' ? ['metrics'] : ['http']);
      if (ports[0] === 'metrics') expect(spec!.clusterIP).toBe('None');
    }
    const routes = JSON.stringify([...all(overlay, 'Ingress'), ...all(overlay, 'HTTPRoute')]);
    expect(routes).not.toMatch(/metrics|9464/);
  });
});

describe.each(['one-service', 'forecast', 'region', 'split'])('k8s/overlays/%s', (overlay) => {
  it('denies all traffic but what it names, and nobody reaches the metadata of the cloud', () => {
    const policies = all<INetworkPolicy>(overlay, 'NetworkPolicy').map(({ spec }) => spec!);
    expect(policies).toContainEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
    const open = policies.flatMap(({ egress = [] }) => egress.flatMap(({ to = [] }) => to));
    for (const { ipBlock } of open) {
      if (ipBlock?.cidr === '0.0.0.0/0') expect(ipBlock.except).toContain('169.254.0.0/16');
    }
    const sources = policies.flatMap(({ ingress = [] }) => ingress);
    for (const { from, ports } of sources) {
      expect(from!.length).toBeGreaterThan(0);
      expect(ports!.length).toBeGreaterThan(0);
    }
  });

  it('reaches DNS behind a cache on the node, databases in every private range, and the world by IPv6', () => {
    const egress = all<INetworkPolicy>(overlay, 'NetworkPolicy')
      .filter(({ metadata }) => metadata.name === 'scalable-api-egress')
      .flatMap(({ spec }) => spec!.egress!);
    const reaches = (cidr: string, port: number) =>
      egress.some(
        ({ to = [], ports = [] }) =>
          to.some(({ ipBlock }) => ipBlock?.cidr === cidr) && ports.some((each) => each.port === port),
      );
    expect(reaches('169.254.20.10/32', 53)).toBe(true);
    for (const cidr of ['10.0.0.0/8', '100.64.0.0/10', 'fc00::/7']) expect(reaches(cidr, 27017)).toBe(true);
    expect(reaches('::/0', 443)).toBe(true);
    // Where a service that a user names could be reached.
    for (const cidr of ['10.0.0.0/8', 'fc00::/7']) expect(reaches(cidr, 443)).toBe(false);
  });

  it("leaves the number of pods to the autoscaler, and what the index job needs to the release's first step", () => {
    for (const { spec } of all<IDeployment>(overlay, 'Deployment')) expect(spec).not.toHaveProperty('replicas');
    const first = manifestsOf(overlay).filter(({ metadata }) => metadata.labels?.['part'] !== undefined);
    const kinds = new Set(first.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(['ConfigMap', 'ExternalSecret', 'Job', 'SecretStore', 'ServiceAccount']);
  });

  it('makes the indexes with the image and the environment of the pods', () => {
    const jobs = all<IJob>(overlay, 'Job').map(({ spec }) => spec!.template.spec!.containers[0]!);
    const services = all<IDeployment>(overlay, 'Deployment').map(({ spec }) => spec!.template.spec!.containers[0]!);
    expect(jobs.map(({ image, envFrom }) => ({ image, envFrom }))).toEqual(
      services.map(({ image, envFrom }) => ({ image, envFrom })),
    );
  });
});

it.each(['forecast', 'region', 'split'])("asks Prometheus for the overlay's namespace alone: %s", (overlay) => {
  const folder = mkdtempSync(join(tmpdir(), 'deploy-'));
  try {
    cpSync('k8s', folder, { recursive: true });
    const file = join(folder, 'overlays', overlay, 'kustomization.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('namespace: scalable-api', 'namespace: staging-2'));
    const queries = JSON.stringify(render(join(folder, 'overlays', overlay))).matchAll(/namespace=\\"([^"\\]*)/g);
    expect(new Set([...queries].map(([, namespace]) => namespace))).toEqual(new Set(['staging-2']));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('/health, which is for operators alone', () => {
  const whole = ['/health', '/health/'];

  it.each(['one-service', 'forecast'])('is refused by ingress-nginx, but for probes: %s', (overlay) => {
    const pathsOf = ({ spec }: IIngress) => spec!.rules![0]!.http!.paths.map(({ path, pathType }) => [path, pathType]);
    const [open, closed] = all<IIngress>(overlay, 'Ingress');
    expect(pathsOf(open!)).toEqual([
      ['/health/live', 'Exact'],
      ['/health/ready', 'Exact'],
      ['/', 'Prefix'],
    ]);
    expect(pathsOf(closed!)).toEqual([['/health', 'Prefix']]);
    expect(closed!.spec!.rules![0]!.host).toBe(open!.spec!.rules![0]!.host);
    const allowed = closed!.metadata.annotations!['nginx.ingress.kubernetes.io/whitelist-source-range'];
    expect(allowed).toBe('127.0.0.1/32');
  });

  it('is refused by the gateway of the split shape', () => {
    const { spec } = the<Custom.IAuthorizationPolicy>('split', 'AuthorizationPolicy');
    const { kind, metadata } = the<Manifest>('split', 'Gateway');
    expect(spec).toEqual({
      targetRefs: [{ group: 'gateway.networking.k8s.io', kind, name: metadata.name }],
      action: 'DENY',
      rules: [{ to: [{ operation: { paths: whole } }] }],
    });
  });

  it('is refused to the gateway of the mesh', () => {
    const [fromGateway] = the<Custom.IAuthorizationPolicy>('region', 'AuthorizationPolicy').spec.rules;
    expect(fromGateway!.to).toEqual([{ operation: { ports: ['5000'], notPaths: whole } }]);
  });
});

it('limits an address only where an overlay includes that', () => {
  const limits = (folder: string) =>
    Object.keys(
      (render(folder) as (IIngress & Manifest)[]).find(({ kind }) => kind === 'Ingress')!.metadata.annotations!,
    )
      .map((name) => name.split('/')[1]!)
      .filter((name) => name.startsWith('limit-'));
  expect(limits('k8s/overlays/one-service')).toEqual([]);
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'deploy-')));
  try {
    const [resources, component] = ['k8s/base', 'k8s/components/ingress-limits'].map((path) =>
      relative(folder, join(ROOT, path)),
    );
    writeFileSync(join(folder, 'kustomization.yaml'), `resources: [${resources}]\ncomponents: [${component}]\n`);
    expect(limits(folder)).toEqual(['limit-burst-multiplier', 'limit-connections', 'limit-rps']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('scales the forecast overlay ahead, and the usual one by CPU and requests', () => {
  const { spec } = the<Custom.IScaledObject>('forecast', 'ScaledObject');
  expect(spec.triggers.map(({ type, name }) => name ?? type)).toEqual(['cpu', 'now', 'forecast']);
  expect(all('forecast', 'HorizontalPodAutoscaler')).toEqual([]);
  const hpa = the<IHorizontalPodAutoscaler>('one-service', 'HorizontalPodAutoscaler').spec!;
  expect(hpa.metrics!.map(({ type }) => type)).toEqual(['Resource', 'Pods']);
});

describe('k8s/overlays/split', () => {
  it('gives each module a Deployment, a Service, a budget and a database of its own', () => {
    const names = MODULES.map((name) => `scalable-api-${name}`).sort();
    for (const kind of ['Deployment', 'HorizontalPodAutoscaler', 'PodDisruptionBudget']) {
      expect(
        all('split', kind)
          .map(({ metadata }) => metadata.name)
          .sort(),
      ).toEqual(names);
    }
    for (const module of MODULES) {
      const named = <T>(kind: string) =>
        all<T>('split', kind).find(({ metadata }) => metadata.name === `scalable-api-${module}`)!;
      const labels = { app: 'api', module };
      const { selector, template } = named<IDeployment>('Deployment').spec!;
      expect(selector.matchLabels).toEqual(labels);
      expect(template.metadata!.labels).toEqual(labels);
      expect(named<IService>('Service').spec!.selector).toEqual(labels);
      expect(named<IPodDisruptionBudget>('PodDisruptionBudget').spec!.selector!.matchLabels).toEqual(labels);
      for (const { labelSelector } of template.spec!.topologySpreadConstraints!) {
        expect(labelSelector!.matchLabels).toEqual(labels);
      }
      const [config, , database] = template.spec!.containers[0]!.envFrom!;
      expect(database!.secretRef!.name).toBe(`scalable-api-database-${module}`);
      const map = all<{ data: Record<string, string> }>('split', 'ConfigMap').find(
        ({ metadata }) => metadata.name === config!.configMapRef!.name,
      );
      expect(map!.data).toMatchObject({ MODULES: module, EVENT_BUS: 'rabbitmq' });
    }
  });

  it('routes to Services that are there, deletions of accounts to auth', () => {
    const services = all('split', 'Service').map(({ metadata }) => metadata.name);
    const { rules } = the<Custom.IHTTPRoute>('split', 'HTTPRoute').spec;
    for (const { backendRefs } of rules) expect(services).toContain(backendRefs![0]!.name);
    const deletion = rules.find(({ matches }) => matches![0]!.method === 'DELETE')!;
    expect(deletion.matches![0]!.path).toEqual({ type: 'Exact', value: '/api/v1/users/me' });
    expect(deletion.backendRefs![0]!.name).toBe('scalable-api-auth');
  });
});

describe('k8s/overlays/canary', () => {
  it('answers requests alone, and leaves background work to the stable version', () => {
    const [container] = the<IDeployment>('canary', 'Deployment').spec!.template.spec!.containers;
    expect(container!.env).toEqual([{ name: 'WORK_ENABLED', value: 'false' }]);
  });
});

describe('k8s/overlays/region', () => {
  it('takes nothing in clear, and shares by weight among tracks that there are', () => {
    expect(the<Custom.IPeerAuthentication>('region', 'PeerAuthentication').spec.mtls).toEqual({ mode: 'STRICT' });
    const labels = (overlay: string) => the<IDeployment>(overlay, 'Deployment').spec!.template.metadata!.labels!;
    const inMesh = { app: 'api', 'sidecar.istio.io/inject': 'true' };
    expect(labels('region')).toEqual({ ...inMesh, track: 'stable' });
    expect(labels('canary')).toEqual({ ...inMesh, track: 'canary' });
    const { subsets, trafficPolicy } = the<Custom.IDestinationRule>('region', 'DestinationRule').spec;
    expect(subsets.map((subset) => subset.labels['track'])).toEqual(['stable', 'canary']);
    expect(trafficPolicy.loadBalancer.localityLbSetting.enabled).toBe(true);
    for (const { route } of the<Custom.IVirtualService>('region', 'VirtualService').spec.http) {
      expect(route.reduce((sum, { weight }) => sum + weight, 0)).toBe(100);
    }
  });

  it.each(['region', 'canary'])('lets the proxy serve for as long as the pod does: %s', (overlay) => {
    const { template } = the<IDeployment>(overlay, 'Deployment').spec!;
    const { terminationDrainDuration: drain } = JSON.parse(
      template.metadata!.annotations!['proxy.istio.io/config']!,
    ) as { terminationDrainDuration: string };
    const serviceSeconds = new ProcessEnvironment().SHUTDOWN_DRAIN_SECONDS + CLOSE_TIMEOUT_MS / 1000;
    expect(parseInt(drain)).toBeGreaterThan(serviceSeconds);
    expect(parseInt(drain)).toBeLessThan(template.spec!.terminationGracePeriodSeconds!);
  });

  it('is entered by one gateway: the one that the routes, the policies and the certificates mean', () => {
    const { metadata, spec } = the<Custom.IIstioGateway>('region', 'Gateway');
    expect(metadata).toMatchObject({ name: 'scalable-api' });
    expect(spec.servers.map(({ hosts }) => hosts)).toEqual([['eu.api.example.com'], ['eu.api.example.com']]);
    const { gateways, hosts } = the<Custom.IVirtualService>('region', 'VirtualService').spec;
    expect([gateways[0], hosts[0]]).toEqual(['scalable-api', 'eu.api.example.com']);
    expect([...all('region', 'Ingress'), ...all('region', 'HTTPRoute')]).toEqual([]);
    const [fromGateway, scrape] = the<Custom.IAuthorizationPolicy>('region', 'AuthorizationPolicy').spec.rules;
    expect(fromGateway!.from).toEqual([{ source: { principals: ['cluster.local/ns/ingress/sa/istio-ingress'] } }]);
    // In clear, it has no name that a rule could ask for.
    expect(scrape!.from).toBeUndefined();
  });

  it('repeats only what does no harm twice', () => {
    const { http } = the<Custom.IVirtualService>('region', 'VirtualService').spec;
    const [safe, rest] = http as [(typeof http)[number], (typeof http)[number]];
    expect(safe.match![0]!.method).toEqual({ regex: 'GET|HEAD|PUT|DELETE|OPTIONS' });
    expect(rest.retries.retryOn.split(',').sort()).toEqual(['connect-failure', 'refused-stream']);
  });
});

describe('the check of custom resources', () => {
  it.each([
    ['ScaledObject', 'forecast', 'maxReplicas'],
    ['ServiceMonitor', 'forecast', 'endpoint'],
    ['PrometheusRule', 'forecast', 'group'],
    ['ExternalSecret', 'region', 'refreshIntervall'],
    ['SecretStore', 'region', 'providers'],
    ['Gateway', 'region', 'listener'],
    ['DestinationRule', 'region', 'trafficPolicies'],
    ['VirtualService', 'region', 'https'],
    ['PeerAuthentication', 'region', 'mTLS'],
    ['AuthorizationPolicy', 'region', 'rule'],
    ['MongoDBCommunity', 'region', 'replicas'],
    ['RedisReplication', 'region', 'size'],
    ['RedisSentinel', 'region', 'size'],
  ])('refuses an unknown field of a %s', async (kind, overlay, field) => {
    const copy = structuredClone(the<{ spec: Record<string, unknown> }>(overlay, kind));
    copy.spec[field] = 1;
    expect(await problemsOf([copy])).toEqual([expect.stringContaining(`'"${field}"' does not exist in type`)]);
  });

  it('refuses a kind that it does not know', async () => {
    const unknown = { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObjekt', metadata: { name: 'a' } };
    expect(await problemsOf([unknown])).not.toEqual([]);
  });
});
