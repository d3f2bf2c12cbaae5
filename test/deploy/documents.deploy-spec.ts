import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildProgram } from '../../src/cli/program.js';
import { run } from './support/tools.js';

const pagesIn = (folder: string, recursive = false) =>
  readdirSync(folder, { recursive, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
const PAGES = [...pagesIn('.'), ...pagesIn('docs', true), ...pagesIn('docker'), ...pagesIn('k8s')];
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

const textOf = (page: string) => readFileSync(page, 'utf8');
/** The blocks of shell of a page; places to be filled in, such as <overlay>, stand for a word. */
const blocksOf = (page: string) =>
  [...textOf(page).matchAll(/^ *```sh\n([^]*?)^ *```/gm)].map(([, block]) => block!.replaceAll(/<[\w .'-]+>/g, 'WORD'));
const found = (pattern: RegExp) =>
  [...new Set(PAGES.flatMap((page) => [...textOf(page).matchAll(pattern)].map(([, name]) => name!)))].sort();

/**
 * Most commands of the documents need a cluster, an engine, root or time, so they are not run here; what they name is
 * looked up instead. Those of docs/adding-a-module.md are run by `npm run test:generator`, those of releases by
 * release.deploy-spec.ts.
 */
describe('the commands of the documents', () => {
  it.each(PAGES.filter((page) => blocksOf(page).length > 0))('are shell: %s', (page) => {
    for (const block of blocksOf(page)) {
      const { status, stderr } = spawnSync('bash', ['-n'], { input: block, encoding: 'utf8' });
      expect([block, status, stderr]).toEqual([block, 0, '']);
    }
  });

  it('name scripts of package.json', () => {
    const names = found(/npm run ([a-z][\w:-]*)/g);
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) expect(Object.keys(scripts)).toContain(name);
  });

  it('name programs of this repository', () => {
    const files = found(/(?:^|[`\s])((?:docker|deploy|scripts|bench)\/[\w/-]+\.(?:sh|mjs))/gm);
    expect(files).toContain('deploy/release.sh');
    for (const file of files) expect([file, existsSync(file)]).toEqual([file, true]);
  });

  it('name commands of cli, and options that these have', () => {
    const calls = found(/(?:dist\/cli\.js|`cli|npm run cli --) ((?:[a-z][\w-]*)(?: (?:--?)?[\w-]+)*)/g);
    expect(calls.length).toBeGreaterThan(5);
    for (const call of calls) {
      const words = call.split(' ');
      let command = buildProgram();
      for (let next; (next = command.commands.find((each) => each.name() === words[0])); words.shift()) command = next;
      expect([call, command.name()]).not.toEqual([call, 'cli']);
      const options = words.filter((word) => word.startsWith('--'));
      expect([call, command.options.map(({ long }) => long)]).toEqual([call, expect.arrayContaining(options)]);
    }
  });
});

describe('docs/deploy.md', () => {
  it('changes what the files of NGINX have: ports, replicas, pid and log', () => {
    const edits = [...textOf('docs/deploy.md').matchAll(/sed -i '([^']+)' (\S+)/g)];
    expect(edits.length).toBe(4);
    for (const [, expression, file] of edits) {
      for (const single of expression!.split('; ')) {
        const before = textOf(`docker/nginx/${file}`);
        expect([single, run('sh', ['-c', `sed '${single}' 'docker/nginx/${file}'`]) === before]).toEqual([
          single,
          false,
        ]);
      }
    }
  });
});
