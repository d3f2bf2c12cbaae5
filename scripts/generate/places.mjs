import { architectureDocument } from './architecture-document.mjs';
import { kubernetesKustomization, kubernetesModule, kubernetesModuleAlerts, kubernetesRoutes } from './kubernetes.mjs';
import { nginxRoutes, nginxUpstreams } from './nginx.mjs';

const unique = (values) => [...new Set(values)];
const constant = (name, values) => ({
  pattern: new RegExp(`export const ${name} = \\[[^\\]]*\\] as const;`),
  block: `export const ${name} = ${JSON.stringify(values)} as const;`,
});

/** In the order in which clients have known them: modules with scopes beyond reading and writing come last. */
function apiKeyScopes(manifests) {
  const scopes = manifests.map((manifest) => manifest.apiKeyScopes);
  return scopes.sort((one, other) => one.length - other.length).flat();
}

const allPurposes = (manifests) => unique(manifests.flatMap((manifest) => manifest.keyPurposes));

function keyPurposes(manifests) {
  const purposes = allPurposes(manifests);
  const users = (purpose) =>
    manifests.filter(({ keyPurposes }) => keyPurposes.includes(purpose)).map(({ name }) => name);
  const entries = purposes.map((purpose) => `${JSON.stringify(purpose)}: ${JSON.stringify(users(purpose))},\n`);
  return `export const KEY_PURPOSES = {\n${entries.join('')}} as const`;
}

/** In the order in which `cli keys derive` prints them. */
function derivedKeys(manifests) {
  const purposesOf = ({ keyPurposes }) => allPurposes(manifests).filter((purpose) => keyPurposes.includes(purpose));
  return manifests.map((each) => `make app_keys_${each.name} derive_keys ${purposesOf(each).join(' ')}\n`).join('');
}

/**
 * What is derived from the manifests, by file: either all of it (`whole`), or `block`, which replaces what `pattern` finds,
 * or else what is between the lines with <generated> and </generated>.
 */
export function placesOf(manifests) {
  const names = manifests.map(({ name }) => name);
  const list = JSON.stringify(names);
  return [
    { file: 'src/contracts/modules.ts', ...constant('MODULES', names) },
    { file: 'src/contracts/api-key-scope.ts', ...constant('API_KEY_SCOPES', apiKeyScopes(manifests)) },
    {
      file: 'src/contracts/cache-scope.ts',
      ...constant(
        'CACHE_SCOPES',
        manifests.flatMap(({ cacheScopes }) => cacheScopes),
      ),
    },
    {
      file: 'src/config/key-purposes.ts',
      pattern: /export const KEY_PURPOSES = \{[^}]*\} as const/,
      block: keyPurposes(manifests),
    },
    { file: 'local/shapes.ts', pattern: /const MODULES = \[[^\]]*\];/, block: `const MODULES = ${list};` },
    { file: '.env.example', pattern: /^# MODULES=.*$/m, block: `# MODULES=${names.join(',')}` },
    {
      file: 'observability/prometheus/prometheus.yaml',
      pattern: /names:\s*\[[^\]]*\]/,
      block: `names: [${names.join(', ')}]`,
    },
    { file: 'docker/make-secrets.sh', block: derivedKeys(manifests) },
    {
      file: 'docker/compose.yaml',
      block: names.map((name) => `  app_keys_${name}:\n    file: ./secrets/app_keys_${name}\n`).join(''),
    },
    { file: 'docker/nginx/upstreams/split.conf', block: nginxUpstreams(manifests) },
    { file: 'docker/nginx/routes/split.conf', block: nginxRoutes(manifests) },
    { file: 'k8s/overlays/split/kustomization.yaml', block: kubernetesKustomization(manifests) },
    { file: 'k8s/overlays/split/routes.yaml', block: kubernetesRoutes(manifests) },
    { file: 'k8s/overlays/split/module-alerts.yaml', whole: kubernetesModuleAlerts(manifests) },
    ...names.map((name) => ({ file: `k8s/overlays/split/${name}/kustomization.yaml`, whole: kubernetesModule(name) })),
    { file: 'docs/architecture.md', block: architectureDocument(manifests) },
  ];
}
