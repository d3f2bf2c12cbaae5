import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandsOf, failureOf, type Outcome, TreeCopy } from '../support/tree-copy.js';

/** Of several words, and longer than most; the documentation has a short one. */
const PLURAL = 'time-entries';
const NAMES = [PLURAL, '--singular', 'time-entry'];

let copy: TreeCopy;

const run = (script: string, ...args: string[]): Outcome => copy.runScript(script, ...args);

const newModule = (...args: string[]) => run('scripts/new-module.mjs', ...args);

beforeAll(() => {
  copy = new TreeCopy();
});
afterAll(() => copy.remove());

describe('npm run new:module', () => {
  it('says how it is used', () => {
    const { code, output } = newModule('--help');
    expect([code, output]).toEqual([0, expect.stringContaining('Usage: npm run new:module -- NAME')]);
  });

  it.each([
    [[], 'Name one module.'],
    [['projects', 'boards'], 'Name one module.'],
    [['projects', '--public'], "Unknown option '--public'"],
    [['Projects'], '"Projects" must be in kebab-case'],
    [['../projects'], '"../projects" must be in kebab-case'],
    [['p'.repeat(31)], 'must have at most 30 characters.'],
    [['health'], '"health" is reserved.'],
    [['people'], "One of people can't be named by the last letters alone: name it with --singular."],
    [['movies'], 'name it with --singular'],
    [['categories'], 'name it with --singular'],
    [['people', '--singular', 'Person'], '--singular: "Person" must be in kebab-case'],
    [['sheep', '--singular', 'sheep'], 'The singular must differ from the plural.'],
    [['tasks'], 'The module tasks exists already.'],
    [['sessions'], 'The collection sessions (Session) exists already: src/modules/auth/schemas/session.schema.ts.'],
    [['redis', '--singular', 'red'], 'docker/compose.yaml has a service redis already.'],
    [['dates'], '"date" would hide Date, which the module\'s code uses: choose another name.'],
    [['models'], '"model" would hide Model'],
  ])('refuses %j, and changes nothing', (args, message) => {
    const { code, output } = newModule(...args);
    expect([code, output]).toEqual([2, expect.stringContaining(message)]);
    expect(copy.changes()).toBe('');
  });

  it('leaves nothing behind where a step fails', () => {
    // The last of the generated places, so that others are written before.
    const file = join(copy.folder, 'docs/architecture.md');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('</generated>', ''));
    const before = copy.changes();
    const { code, output } = newModule(...NAMES);
    expect([code, output]).toEqual([1, expect.stringContaining('Nothing was changed: npm run generate failed')]);
    expect(copy.changes()).toBe(before);
    expect(readFileSync(file, 'utf8')).not.toContain('</generated>');
    writeFileSync(file, text);
  });
});

describe('npm run remove:module', () => {
  it('takes back what the generator has made', () => {
    expect(failureOf(newModule(...NAMES))).toBe('');
    expect(failureOf(run('scripts/remove-module.mjs', PLURAL))).toBe('');
    expect(copy.changes()).toBe('');
  });

  it.each([
    [[], 'Name one module.'],
    [['tasks', 'users'], 'Name one module.'],
    [['boards'], 'There is no module boards in src/modules.ts.'],
  ])('refuses %j, and changes nothing', (args, message) => {
    const { code, output } = run('scripts/remove-module.mjs', ...args);
    expect([code, output]).toEqual([2, expect.stringContaining(message)]);
    expect(copy.changes()).toBe('');
  });
});

describe('a generated module', () => {
  beforeAll(() => {
    expect(failureOf(newModule(...NAMES))).toBe('');
  });

  it('is everywhere where modules are listed', () => {
    const files = copy
      .changes()
      .split('\n')
      .map((line) => line.slice(3));
    expect(files).toEqual(
      expect.arrayContaining([
        'src/modules.ts',
        'src/contracts/time-entries.events.ts',
        'src/modules/time-entries/time-entries.service.ts',
        'test/e2e/time-entries.e2e-spec.ts',
        'docs/asyncapi.yaml',
        'docker/compose.yaml',
        'docker/nginx/routes/split.conf',
        'k8s/overlays/split/time-entries/kustomization.yaml',
      ]),
    );
    expect(failureOf(run('scripts/generate.mjs', '--check'))).toBe('');
  });

  it('is not made twice', () => {
    expect(newModule(...NAMES)).toMatchObject({ code: 2 });
  });

  // Generates another module, so that what follows is about two of them.
  it.each(commandsOf('docs/adding-a-module.md'))('has the documentation run: %s', (command) => {
    expect(failureOf(copy.run('sh', '-c', command))).toBe('');
  });

  it('passes its own tests, and those of all modules', () => {
    const tests = [
      ...['src/modules/time-entries', 'test/integration/time-entries', 'test/e2e/time-entries'],
      ...['src/manifest-checks', 'test/architecture/(manifests|file-roles)'],
      'test/integration/(asyncapi|openapi|sharding)',
    ];
    const outcome = run('scripts/test.mjs', 'all', ...tests);
    expect(failureOf(outcome)).toBe('');
    for (const file of ['time-entry-fields.spec.ts', 'time-entries.int-spec.ts', 'time-entries.e2e-spec.ts']) {
      expect(outcome.output).toContain(file);
    }
  });

  it('is described in the OpenAPI document as fully as the others', () => {
    const outcome = run('scripts/test.mjs', 'all', 'test/e2e/openapi', '-t', 'in words of its own|its schema allows');
    expect(failureOf(outcome)).toBe('');
    expect(outcome.output).toContain('2 passed');
  });
});
