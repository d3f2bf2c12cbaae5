import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { foreignOperations } from './foreign-operations.mjs';

/** The resources of the overlay: a folder for each module. */
export const kubernetesKustomization = (manifests) => manifests.map(({ name }) => `  - ${name}\n`).join('');

const rule = (name, matches) => `    - matches:
${matches.map((match) => `        - ${match}\n`).join('')}      backendRefs:
        - { name: scalable-api-${name}, port: 80 }
`;
const prefix = (path) => `path: { type: PathPrefix, value: /${path} }`;
const exact = (path) => `path: { type: Exact, value: /${path} }`;

/** Rules of the HTTPRoute: single operations, then the paths of each module. */
export function kubernetesRoutes(manifests) {
  const shared = foreignOperations(manifests).flatMap(({ path, methods }) =>
    methods.map(({ method, module }) => rule(module, [`${exact(`api/v1/${path}`)}\n          method: ${method}`])),
  );
  const modules = manifests.map(({ name, apiPaths, publicPaths }) =>
    rule(name, [
      ...apiPaths.map((path) => prefix(`api/v1/${path}`)),
      ...publicPaths.map(({ path, isWebSocket }) => (isWebSocket ? exact(path) : prefix(path))),
    ]),
  );
  return [...shared, ...modules].join('');
}

/** A module's own folder of the overlay. */
export const kubernetesModule = (name) => `# Generated from src/modules.ts by npm run generate.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ../../../base
components:
  - ../module
nameSuffix: -${name}
labels:
  - pairs: { module: ${name} }
    includeSelectors: true
configMapGenerator:
  - name: scalable-api-config
    behavior: merge
    literals:
      - MODULES=${name}
patches:
  # A database and keys of its own (MONGODB_URI, APP_KEYS), beside the secrets that all share.
  - target: { kind: Deployment|Job }
    patch: |
      - op: add
        path: /spec/template/spec/containers/0/envFrom/-
        value: { secretRef: { name: scalable-api-database-${name} } }
`;

/**
 * ModuleDown for each module that has no instance at all, also where Prometheus has never known one: `absent` gives the
 * labels of its selector. Instances that don't answer are for the common rule.
 */
export function kubernetesModuleAlerts(manifests) {
  const { groups } = parse(readFileSync('observability/prometheus/rules.yaml', 'utf8'));
  const alert = groups.flatMap(({ rules }) => rules).find((rule) => rule.alert === 'ModuleDown');
  const rules = manifests.map(({ name }) => ({
    ...alert,
    expr: `absent(up{job="scalable-api",namespace="scalable-api",module="${name}"})`,
  }));
  const resource = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'scalable-api-modules', labels: { app: 'api' } },
    spec: { groups: [{ name: 'scalable-api-modules', rules }] },
  };
  const text = stringify(resource, { lineWidth: 0, aliasDuplicateObjects: false });
  return `# Generated from src/modules.ts and observability/prometheus/rules.yaml by npm run generate.\n${text}`;
}
