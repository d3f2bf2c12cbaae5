import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** What a program printed, and its exit code. */
export interface Outcome {
  code: number | null;
  output: string;
}

/** @returns the output, where the program fails: the reader of a failed test wants to see it */
export const failureOf = ({ code, output }: Outcome) => (code === 0 ? '' : output);

/** The commands of a page of the documentation, each once, in their order. */
export function commandsOf(page: string): string[] {
  const blocks = readFileSync(page, 'utf8').matchAll(/^```sh\n(.*?)^```/gms);
  return [...new Set([...blocks].flatMap(([, block = '']) => block.trimEnd().split('\n')))];
}

/** A copy of this checkout in a repository of its own, for tests that change it. */
export class TreeCopy {
  readonly folder = mkdtempSync(join(tmpdir(), 'scalable-api-copy-'));

  /** Copies what is committed and what isn't ignored; installed packages are linked. */
  constructor(root = process.cwd()) {
    const listed = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
    const files = execFileSync('git', listed, { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);
    for (const file of files) {
      mkdirSync(dirname(join(this.folder, file)), { recursive: true });
      cpSync(join(root, file), join(this.folder, file));
    }
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'));
    // Ignored as a folder, not as a link.
    const ignored = join(this.folder, '.gitignore');
    writeFileSync(ignored, `${readFileSync(ignored, 'utf8')}\nnode_modules\n`);
    execFileSync('git', ['init', '-q'], { cwd: this.folder });
    this.commit();
  }

  run(program: string, ...args: string[]): Outcome {
    // Jest's own variables would reach the Jest that is started.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(JEST_|NODE_ENV$)/.test(name)));
    const options = { cwd: this.folder, encoding: 'utf8', env, maxBuffer: 2 ** 28 } as const;
    const { status, stdout, stderr } = spawnSync(program, args, options);
    return { code: status, output: stdout + stderr };
  }

  /** Runs a script of the copy. */
  runScript(script: string, ...args: string[]): Outcome {
    return this.run(process.execPath, script, ...args);
  }

  /** What differs from the state that was committed last: a line for each file. */
  changes(): string {
    const args = ['status', '--porcelain', '--untracked-files=all'];
    return execFileSync('git', args, { cwd: this.folder, encoding: 'utf8' });
  }

  commit(): void {
    const author = ['-c', 'user.name=test', '-c', 'user.email=test@example.org', '-c', 'commit.gpgsign=false'];
    execFileSync('git', ['add', '-A'], { cwd: this.folder });
    execFileSync('git', [...author, 'commit', '-qm', 'state'], { cwd: this.folder });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
