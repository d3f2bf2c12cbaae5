import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = process.cwd();
/** Of several words, and longer than most; the documentation has a short one. */
const PLURAL = 'time-entries';
/** Every command of the documentation, once, in its order. */
const COMMANDS = [
  ...new Set(
    [...readFileSync('docs/adding-a-module.md', 'utf8').matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block = '']) =>
      block.trimEnd().split('\n'),
    ),
  ),
];

/** What a program printed, and its exit code. */
interface Outcome {
  code: number | null;
  output: string;
}

let folder: string;

/** Runs a program in the copy. */
function runProgram(program: string, ...args: string[]): Outcome {
  // Jest's own variables would reach the Jest that is started.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(JEST_|NODE_ENV$)/.test(name)));
  const options = { cwd: folder, encoding: 'utf8', env, maxBuffer: 2 ** 28 } as const;
  const { status, stdout, stderr } = spawnSync(program, args, options);
  return { code: status, output: stdout + stderr };
}

const run = (script: string, ...args: string[]) => runProgram(process.execPath, script, ...args);

const newModule = (...args: string[]) => run('scripts/new-module.mjs', ...args);

/** @returns the output, where the program fails: the reader of a failed test wants to see it */
const failureOf = ({ code, output }: Outcome) => (code === 0 ? '' : output);

/** What differs from the state that was committed last: a line for each file. */
function changes(): string {
  return execFileSync('git', ['status', '--porcelain', '--untracked-files=all'], { cwd: folder, encoding: 'utf8' });
}

function commit(): void {
  const author = ['-c', 'user.name=test', '-c', 'user.email=test@example.org', '-c', 'commit.gpgsign=false'];
  execFileSync('git', ['add', '-A'], { cwd: folder });
  execFileSync('git', [...author, 'commit', '-qm', 'state'], { cwd: folder });
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'scalable-api-generator-'));
  const listed = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const files = execFileSync('git', listed, { cwd: ROOT, encoding: 'utf8' }).split('\0').filter(Boolean);
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(ROOT, file), join(folder, file));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  // Ignored as a folder, not as a link.
  writeFileSync(join(folder, '.gitignore'), `${readFileSync(join(folder, '.gitignore'), 'utf8')}\nnode_modules\n`);
  execFileSync('git', ['init', '-q'], { cwd: folder });
  commit();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

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
    [['people'], 'What is one of people? Say it with --singular.'],
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
    expect(changes()).toBe('');
  });

  it('leaves nothing behind where a step fails', () => {
    // The last of the generated places, so that others are written before.
    const file = join(folder, 'docs/architecture.md');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('</generated>', ''));
    const before = changes();
    const { code, output } = newModule(PLURAL);
    expect([code, output]).toEqual([1, expect.stringContaining('Nothing was changed: npm run generate failed')]);
    expect(changes()).toBe(before);
    expect(readFileSync(file, 'utf8')).not.toContain('</generated>');
    writeFileSync(file, text);
  });
});

describe('a generated module', () => {
  beforeAll(() => {
    expect(failureOf(newModule(PLURAL))).toBe('');
  });

  it('is everywhere where modules are listed', () => {
    const files = changes()
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
    expect(newModule(PLURAL)).toMatchObject({ code: 2 });
  });

  // Generates another module, so that what follows is about two of them.
  it.each(COMMANDS)('has the documentation run: %s', (command) => {
    expect(failureOf(runProgram('sh', '-c', command))).toBe('');
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
});
