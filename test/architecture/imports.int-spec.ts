import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = process.cwd();
const DEPCRUISE = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

interface Violation {
  rule: { name: string };
  from: string;
  to: string;
}

/** Who imports whom against the rules, in the project at `folder`. */
function violationsIn(folder: string, ...paths: string[]): Violation[] {
  const args = [DEPCRUISE, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...paths];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (stdout === '') throw new Error(stderr);
  return (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations;
}

it('nobody imports what they must not', () => {
  expect(violationsIn(ROOT, 'src', 'local', 'test')).toEqual([]);
});

/** Files that break a rule each, or none: by what they show, from the file that imports. */
const IMPORTS: [what: string, from: string, statement: string, rule: string | null][] = [
  [
    'of a module by a module',
    'src/modules/notifications/a.ts',
    "import '../users/a.js';",
    'modules-know-no-other-module',
  ],
  [
    'of a type alone',
    'src/modules/notifications/b.ts',
    "import type { A } from '../users/a.js';",
    'modules-know-no-other-module',
  ],
  ['of a module by the platform', 'src/platform/a.ts', "import '../modules/users/a.js';", 'platform-knows-no-module'],
  [
    'of the platform by common',
    'src/common/a.ts',
    "import '../platform/target.js';",
    'common-knows-contracts-and-config',
  ],
  ['of common by contracts', 'src/contracts/a.ts', "import '../common/target.js';", 'contracts-and-config-stand-alone'],
  [
    'by a manifest of more than data',
    'src/modules/notifications/a.manifest.ts',
    "import './c.js';",
    'manifests-are-data',
  ],
  [
    'of a Nest module by a manifest, when wanted',
    'src/modules/notifications/b.manifest.ts',
    "export const load = () => import('./c.js');",
    null,
  ],
  ['of a schema', 'src/a.ts', "import './modules/users/schemas/a.js';", 'schemas-stay-in-their-module'],
  ['of a test by the service', 'src/b.ts', "import '../test/target.js';", 'the-service-knows-no-tools'],
  ['in a circle', 'src/common/b.ts', "import './c.js';", 'no-cycles'],
  ['of what is not there', 'src/c.ts', "import './nowhere.js';", 'no-unresolvable'],
  ['of an SDK', 'src/e.ts', "import '@sentry/core';", 'what-reports-stays-in-its-files'],
  [
    'of what loads one',
    'src/f.ts',
    "import './platform/observability/errors/sentry.js';",
    'what-reports-is-loaded-when-wanted',
  ],
  ['of what loads one, when wanted', 'src/g.ts', "await import('./platform/observability/errors/sentry.js');", null],
  ['of what production lacks', 'src/d.ts', "import 'typescript';", 'the-service-needs-no-dev-dependency'],
  ['of what is meant for it', 'src/modules/notifications/c.ts', "import '../../platform/target.js';", null],
];
const TARGETS: Record<string, string> = {
  'src/modules/users/a.ts': 'export interface A {\n  a: 1;\n}',
  'src/modules/users/schemas/a.ts': 'export {};',
  'src/platform/target.ts': 'export {};',
  'src/platform/observability/errors/sentry.ts': 'export {};',
  'src/common/target.ts': 'export {};',
  'src/common/c.ts': "import './b.js';",
  'test/target.ts': 'export {};',
};

describe('the rules', () => {
  let folder: string;
  let violations: Violation[];

  beforeAll(() => {
    // The rules, the compiler options and the packages of the project, around sources of the test's own.
    folder = mkdtempSync(join(tmpdir(), 'scalable-api-test-imports-'));
    for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) {
      cpSync(join(ROOT, file), join(folder, file));
    }
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const files = [...Object.entries(TARGETS), ...IMPORTS.map(([, from, statement]) => [from, statement] as const)];
    for (const [path, content] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), `${content}\n`);
    }
    violations = violationsIn(folder, 'src');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(IMPORTS)('judge an import %s (%s)', (_, from, _statement, rule) => {
    const broken = violations.filter((violation) => violation.from === from).map((violation) => violation.rule.name);
    expect(broken).toEqual(rule === null ? [] : expect.arrayContaining([rule]));
  });
});
