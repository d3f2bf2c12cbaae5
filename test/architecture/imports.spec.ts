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

describe('a forbidden import is found', () => {
  let folder: string;

  beforeAll(() => {
    // The rules, the compiler options and the packages of the project, around sources of the test's own.
    folder = mkdtempSync(join(tmpdir(), 'scalable-api-test-imports-'));
    for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json'])
      cpSync(join(ROOT, file), join(folder, file));
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  });
  afterEach(() => rmSync(join(folder, 'src'), { recursive: true, force: true }));
  afterAll(() => rmSync(folder, { recursive: true }));

  function write(files: Record<string, string>): void {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
  }

  it.each([
    ['of a module by a module', 'src/modules/tasks/a.ts', 'src/modules/users/b.ts', 'modules-know-no-other-module'],
    ['of a module by the platform', 'src/platform/work/a.ts', 'src/modules/users/b.ts', 'platform-knows-no-module'],
    ['of the platform by common', 'src/common/a.ts', 'src/platform/work/b.ts', 'common-knows-contracts-and-config'],
    ['of common by the contracts', 'src/contracts/a.ts', 'src/common/b.ts', 'contracts-and-config-stand-alone'],
    ['of a schema by an entry', 'src/main.ts', 'src/modules/users/schemas/b.ts', 'schemas-stay-in-their-module'],
    ['of a test by the service', 'src/main.ts', 'test/b.ts', 'the-service-knows-no-tools'],
  ])('%s', (_, from, to, rule) => {
    const up = '../'.repeat(from.split('/').length - 1);
    write({ [from]: `import '${up || './'}${to.replace(/\.ts$/, '.js')}';\n`, [to]: 'export {};\n' });
    expect(violationsIn(folder, 'src').map((violation) => violation.rule.name)).toContain(rule);
  });

  it('of a type alone', () => {
    write({
      'src/modules/tasks/a.ts': "import type { B } from '../users/b.js';\nexport type A = B;\n",
      'src/modules/users/b.ts': 'export interface B {\n  b: 1;\n}\n',
    });
    const [violation] = violationsIn(folder, 'src');
    expect(violation).toMatchObject({ rule: { name: 'modules-know-no-other-module' }, from: 'src/modules/tasks/a.ts' });
  });

  it('in a circle', () => {
    write({ 'src/common/a.ts': "import './b.js';\n", 'src/common/b.ts': "import './a.js';\n" });
    expect(violationsIn(folder, 'src').map(({ rule }) => rule.name)).toContain('no-cycles');
  });

  it('of a package that production does not have', () => {
    write({ 'src/main.ts': "import 'typescript';\n" });
    expect(violationsIn(folder, 'src').map(({ rule }) => rule.name)).toContain('the-service-needs-no-dev-dependency');
  });

  it('and an allowed one is not', () => {
    write({
      'src/modules/tasks/a.ts': "import '../../platform/work/b.js';\nimport '../../contracts/c.js';\n",
      'src/platform/work/b.ts': 'export {};\n',
      'src/contracts/c.ts': 'export {};\n',
    });
    expect(violationsIn(folder, 'src')).toEqual([]);
  });
});
