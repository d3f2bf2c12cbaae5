import 'reflect-metadata';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import type { IIngress } from 'kubernetes-models/networking.k8s.io/v1/Ingress';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import type { IConfigMap } from 'kubernetes-models/v1/ConfigMap';
import type { IService } from 'kubernetes-models/v1/Service';
import type { IServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { readEnvironment } from '../../src/config/environment.js';
import { type Manifest, parse, problemsOf, render } from './support/manifests.js';
import { ROOT, run } from './support/tools.js';

interface Kinds {
  ConfigMap: IConfigMap;
  Deployment: IDeployment;
  HorizontalPodAutoscaler: IHorizontalPodAutoscaler;
  Ingress: IIngress;
  PodDisruptionBudget: IPodDisruptionBudget;
  Service: IService;
  ServiceAccount: IServiceAccount;
}

describe('k8s/base', () => {
  let manifests: Manifest[];

  beforeEach(() => {
    manifests = render('k8s/base');
  });

  function the<Kind extends keyof Kinds>(kind: Kind): Kinds[Kind] {
    const found = manifests.filter(({ kind: its, metadata }) => its === kind && !metadata.name.endsWith('-health'));
    expect(found).toHaveLength(1);
    return found[0] as unknown as Kinds[Kind];
  }
  const pod = () => the('Deployment').spec!.template.spec!;
  const container = () => pod().containers[0]!;

  it('renders what the service needs, and nothing that an API server would refuse', async () => {
    expect(manifests.map(({ kind }) => kind).sort()).toEqual([
      'ConfigMap',
      'Deployment',
      'HorizontalPodAutoscaler',
      'Ingress',
      'Ingress',
      'PodDisruptionBudget',
      'Service',
      'ServiceAccount',
    ]);
    expect(await problemsOf(manifests)).toEqual([]);
  });

  it('leaves the namespace to the overlay', () => {
    for (const { metadata } of manifests) expect(metadata).not.toHaveProperty('namespace');
  });

  it('points every selector at the pods', () => {
    const labels = the('Deployment').spec!.template.metadata!.labels;
    expect(labels).toEqual({ app: 'api' });
    expect(the('Deployment').spec!.selector.matchLabels).toEqual(labels);
    expect(the('Service').spec!.selector).toEqual(labels);
    expect(the('PodDisruptionBudget').spec!.selector!.matchLabels).toEqual(labels);
    for (const { labelSelector } of pod().topologySpreadConstraints!)
      expect(labelSelector!.matchLabels).toEqual(labels);
  });

  it('leads from the Ingress through the Service to the public port, and never to the metrics', () => {
    const [rule] = the('Ingress').spec!.rules!;
    for (const { backend } of rule!.http!.paths) {
      expect(backend.service).toEqual({ name: the('Service').metadata!.name, port: { name: 'http' } });
    }
    expect(the('Service').spec!.ports).toEqual([{ name: 'http', port: 80, targetPort: 'http' }]);
    expect(container().ports).toContainEqual({ name: 'http', containerPort: 5000 });
    expect(container().ports).toContainEqual({ name: 'metrics', containerPort: 9464 });
    expect(the('Ingress').spec!.tls![0]!.hosts).toEqual([rule!.host]);
  });

  it('probes liveness without dependencies and readiness with them', () => {
    const { startupProbe, livenessProbe, readinessProbe } = container();
    expect(startupProbe!.httpGet).toEqual({ path: '/health/live', port: 'http' });
    expect(livenessProbe!.httpGet).toEqual({ path: '/health/live', port: 'http' });
    expect(readinessProbe!.httpGet).toEqual({ path: '/health/ready', port: 'http' });
  });

  it('gives a pod that is told to stop more time than it drains for', () => {
    const drain = Number(the('ConfigMap').data!['SHUTDOWN_DRAIN_SECONDS']);
    expect(drain).toBeGreaterThan(0);
    // Beside the drain, a request may take as long as the proxy waits for one: leave it half a minute.
    expect(pod().terminationGracePeriodSeconds).toBeGreaterThanOrEqual(drain + 30);
  });

  it('never has fewer pods than before while it rolls, and lets a node be drained', () => {
    const { replicas, strategy } = the('Deployment').spec!;
    const { minReplicas, maxReplicas, scaleTargetRef } = the('HorizontalPodAutoscaler').spec!;
    expect(strategy!.rollingUpdate!.maxUnavailable).toBe(0);
    expect(scaleTargetRef).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      name: the('Deployment').metadata!.name,
    });
    expect(replicas).toBe(5);
    expect(minReplicas).toBe(replicas);
    expect(maxReplicas).toBeGreaterThan(minReplicas!);
    // At least one pod may go, and at least one stays.
    const { maxUnavailable } = the('PodDisruptionBudget').spec!;
    expect(maxUnavailable).toBeGreaterThanOrEqual(1);
    expect(maxUnavailable).toBeLessThan(minReplicas!);
  });

  it('asks for CPU, which the autoscaler measures by', () => {
    expect(container().resources!.requests).toEqual({ cpu: '500m', memory: '512Mi' });
    expect(the('HorizontalPodAutoscaler').spec!.metrics![0]!.resource!.name).toBe('cpu');
  });

  it('runs under the restricted pod security standard, without a token', () => {
    expect(pod().securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(pod().securityContext!.runAsUser).toBeGreaterThan(0);
    expect(container().securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod().serviceAccountName).toBe(the('ServiceAccount').metadata!.name);
    expect(pod().automountServiceAccountToken).toBe(false);
    expect(the('ServiceAccount').automountServiceAccountToken).toBe(false);
  });

  it('names an image by a version', () => {
    expect(container().image).toMatch(/:(?!latest$)[\w.-]+$/);
  });

  it('holds no secret, and with the secret of the README is an environment the service starts with', () => {
    expect(manifests.map(({ kind }) => kind)).not.toContain('Secret');
    const readme = readFileSync('k8s/README.md', 'utf8');
    const [config, secret] = container().envFrom!;
    expect(config!.configMapRef!.name).toBe(the('ConfigMap').metadata!.name);
    expect(readme).toContain(`create secret generic ${secret!.secretRef!.name} `);

    const folder = mkdtempSync(join(tmpdir(), 'deploy-'));
    try {
      run('sh', ['docker/make-secrets.sh', folder]);
      const secrets = [...readme.matchAll(/--from-(literal|file)=([A-Z_]+)=(\S+)/g)].map(([, from, name, value]) => [
        name!,
        from === 'file' ? readFileSync(value!.replace('docker/secrets', folder), 'utf8') : value!.replaceAll("'", ''),
      ]);
      const environment = { ...the('ConfigMap').data, ...Object.fromEntries(secrets) } as NodeJS.ProcessEnv;
      const read = readEnvironment(environment);
      expect(Object.keys(read)).toEqual(expect.arrayContaining(Object.keys(environment)));
      expect(read.TRUST_PROXY).toBe(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('becomes an overlay the way the README shows', async () => {
    const [, overlay] = /```yaml\n([\s\S]+?)```/.exec(readFileSync('k8s/README.md', 'utf8'))!;
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'deploy-')));
    try {
      const filled = overlay!
        .replace('<this repository>', relative(folder, ROOT))
        .replace('<your registry>', 'registry');
      writeFileSync(join(folder, 'kustomization.yaml'), filled);
      manifests = render(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(await problemsOf(manifests)).toEqual([]);
    expect(the('Deployment').spec).not.toHaveProperty('replicas');
    expect(container().image).toBe('registry/scalable-api:0.1.0');
    expect(the('ConfigMap').data).toMatchObject({ PUBLIC_URL: 'https://api.your-domain', SHUTDOWN_DRAIN_SECONDS: '5' });
    expect(JSON.stringify(manifests.filter(({ kind }) => kind === 'Ingress'))).not.toContain('example.com');
  });
});

describe('the check of manifests', () => {
  // A field too many at each depth: the object, the pod, the container, a probe, a map beside free keys.
  it.each([
    ['spec', 'replica: 3'],
    ['spec.template.spec', 'terminationGracePeriod: 45'],
    ['spec.template.spec.containers[0]', 'readynessProbe: { httpGet: { path: /, port: 80 } }'],
    ['spec.template.spec.containers[0].livenessProbe', 'periodSecond: 5'],
    ['spec.template.spec.containers[0].livenessProbe.httpGet', 'url: /health'],
    ['spec.template.spec.securityContext', 'runAsNonroot: true'],
    ['metadata', 'label: { app: api }'],
  ])('refuses a misspelt field in %s', async (path, field) => {
    const [deployment] = parse(DEPLOYMENT);
    expect(await problemsOf([deployment!])).toEqual([]);
    const target = path.split(/[.[\]]+/).reduce<unknown>((node, key) => {
      return key === '' ? node : (node as Record<string, unknown>)[key];
    }, deployment) as Record<string, unknown>;
    Object.assign(target, parse(field)[0]);
    expect(await problemsOf([deployment!])).toEqual([
      expect.stringContaining(`"${field.split(':')[0]}"' does not exist in type`),
    ]);
  });

  it.each([
    ['a missing field', (yaml: string) => yaml.replace('selector: { matchLabels: { app: api } }', '')],
    ['a value of the wrong type', (yaml: string) => yaml.replace('periodSeconds: 5', "periodSeconds: 'often'")],
    ['a value outside the list', (yaml: string) => yaml.replace('scheme: HTTP', 'scheme: FTP')],
    ['an unknown kind', (yaml: string) => yaml.replace('kind: Deployment', 'kind: Deploy')],
  ])('refuses %s', async (_, spoil) => {
    expect(await problemsOf(parse(spoil(DEPLOYMENT)))).not.toEqual([]);
  });
});

const DEPLOYMENT = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: api }
spec:
  selector: { matchLabels: { app: api } }
  template:
    metadata: { labels: { app: api, any: label } }
    spec:
      securityContext: { runAsNonRoot: true }
      containers:
        - name: api
          image: api:1
          livenessProbe:
            periodSeconds: 5
            httpGet: { path: /, port: 80, scheme: HTTP }
`;
