import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = process.cwd();
/** All that the generator reads or writes. */
const PARTS = [
  ...[
    'src/modules.ts',
    'src/modules',
    'src/contracts',
    'src/config/key-purposes.ts',
    'local/shapes.ts',
    '.env.example',
  ],
  ...[
    'docker/compose.yaml',
    'docker/make-secrets.sh',
    'docker/nginx',
    'k8s/overlays/split',
    'observability/prometheus',
    'docs/architecture.md',
  ],
  ...['.prettierrc.json', 'package.json'],
];

/** @returns what the generator prints, a line each, and whether it succeeded */
function generate(folder: string, ...args: string[]): { lines: string[]; ok: boolean } {
  const script = join(ROOT, 'scripts/generate.mjs');
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, ...args], { cwd: folder, encoding: 'utf8' });
  return { lines: (stdout + stderr).split('\n').filter((line) => line !== ''), ok: status === 0 };
}

describe('npm run generate', () => {
  let folder: string;
  const edit = (file: string, change: (text: string) => string) => {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    expect(change(text)).not.toBe(text);
    writeFileSync(path, change(text));
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'scalable-api-test-manifests-'));
    for (const part of PARTS) {
      mkdirSync(dirname(join(folder, part)), { recursive: true });
      cpSync(join(ROOT, part), join(folder, part), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('has been run, and finds nothing forgotten', () => {
    expect(generate(ROOT, '--check')).toEqual({ lines: [], ok: true });
  });

  it('says what is missing, and where', () => {
    mkdirSync(join(folder, 'src/modules/billing'));
    writeFileSync(join(folder, 'src/contracts/billing.events.ts'), 'export {};\n');
    mkdirSync(join(folder, 'k8s/overlays/split/gone'));
    edit('src/modules/notifications/notifications.manifest.ts', (text) =>
      text.replace("cacheScopes: ['notifications']", "cacheScopes: ['boards']"),
    );
    edit('docker/compose.yaml', (text) => text.replace('      MODULES: notifications\n', '      MODULES: users\n'));
    edit('docker/compose.yaml', (text) => text.replace('      auth: { condition: service_healthy }\n', ''));
    edit('docker/nginx/routes/split.conf', (text) => text.replace('http://notifications;', 'http://users;'));
    edit('observability/prometheus/rules.yaml', (text) => text.replace('outbox|email', 'outbox|fax'));
    expect(generate(folder, '--check')).toEqual({
      lines: [
        'The module billing has no manifest: write src/modules/billing/billing.manifest.ts.',
        'src/contracts/billing.events.ts is not the `events` of src/modules/billing/billing.manifest.ts.',
        "docker/compose.yaml: nginx-split doesn't depend on auth.",
        'docker/compose.yaml has no service notifications with MODULES: notifications.',
        'docker/compose.yaml has no service notifications-indexes with MODULES: notifications.',
        'k8s/overlays/split/gone is of no module of src/modules.ts: remove it.',
        'observability/prometheus/rules.yaml names the queue fax, which no manifest lists.',
        'src/contracts/cache-scope.ts is outdated: run npm run generate.',
        'docker/nginx/routes/split.conf is outdated: run npm run generate.',
      ],
      ok: false,
    });
  });

  it('writes all that is derived from a new manifest', () => {
    const manifest = readFileSync(join(ROOT, 'src/modules/notifications/notifications.manifest.ts'), 'utf8');
    mkdirSync(join(folder, 'src/modules/samples'));
    const copy = manifest.replace(/notifications/g, 'samples').replace('email-unsubscribe', 'samples.url');
    writeFileSync(join(folder, 'src/modules/samples/samples.manifest.ts'), copy);
    writeFileSync(join(folder, 'src/contracts/samples.events.ts'), 'export {};\n');
    edit('src/modules.ts', (text) =>
      `import { samples } from './modules/samples/samples.manifest.js';\n${text}`.replace(
        /,?\s*\];\s*$/,
        ', samples];\n',
      ),
    );
    const written = generate(folder).lines.filter((line) => line.startsWith('wrote '));
    expect(written.map((line) => line.replace('wrote ', '')).sort()).toEqual(
      [
        ...['contracts/modules.ts', 'contracts/api-key-scope.ts', 'contracts/cache-scope.ts'].map(
          (file) => `src/${file}`,
        ),
        ...['src/config/key-purposes.ts', 'local/shapes.ts', '.env.example', 'docs/architecture.md'],
        ...[
          'docker/make-secrets.sh',
          'docker/compose.yaml',
          'docker/nginx/upstreams/split.conf',
          'docker/nginx/routes/split.conf',
        ],
        ...['kustomization.yaml', 'routes.yaml', 'module-alerts.yaml', 'samples/kustomization.yaml'].map(
          (file) => `k8s/overlays/split/${file}`,
        ),
        'observability/prometheus/prometheus.yaml',
      ].sort(),
    );
    expect(readFileSync(join(folder, 'docker/nginx/routes/split.conf'), 'utf8')).toContain(
      'location ~ ^/api/v1/samples(/|$)',
    );
    const rest = generate(folder, '--check').lines;
    expect(rest).toEqual([
      'src/contracts/samples.events.ts is not the `events` of src/modules/samples/samples.manifest.ts.',
      'docker/compose.yaml has no service samples with MODULES: samples.',
      'docker/compose.yaml has no service samples-indexes with MODULES: samples.',
      "docker/compose.yaml: nginx-split doesn't depend on samples.",
    ]);
  });
});
