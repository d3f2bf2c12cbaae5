import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const RECORD = 'test/versions/previous-release.json';

/** The program of the previous release, built. */
export interface PreviousRelease {
  /** Its folder, with `dist/`. */
  root: string;
  remove(): void;
}

/**
 * Builds the release whose commit is recorded in `previous-release.json`, from this clone's history and with the
 * dependencies of its own lock file: those of this checkout where the lock files are the same.
 *
 * @throws Error where the clone is shallow and the commit can't be fetched
 */
export function buildPreviousRelease(): PreviousRelease {
  const { commit } = JSON.parse(readFileSync(RECORD, 'utf8')) as { commit: string };
  ensureCommit(commit);
  const root = mkdtempSync(join(tmpdir(), 'scalable-api-previous-release-'));
  const remove = () => rmSync(root, { recursive: true, force: true });
  try {
    const archive = join(root, 'release.tar');
    run('git', ['archive', '--output', archive, commit]);
    run('tar', ['-xf', archive, '-C', root]);
    const isSame = (file: string) => readFileSync(file, 'utf8') === readFileSync(join(root, file), 'utf8');
    if (isSame('package-lock.json')) symlinkSync(join(process.cwd(), 'node_modules'), join(root, 'node_modules'));
    else run('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund'], root);
    run(process.execPath, ['scripts/build.mjs', 'tsconfig.build.json'], root);
    return { root, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function ensureCommit(commit: string): void {
  try {
    run('git', ['cat-file', '-e', `${commit}^{commit}`]);
  } catch {
    try {
      run('git', ['fetch', '--quiet', '--depth=1', 'origin', commit]);
    } catch (cause) {
      throw new Error(`This clone lacks the commit ${commit} of the previous release: git fetch --unshallow`, {
        cause,
      });
    }
  }
}

/** @throws Error with what the command has written */
function run(command: string, args: string[], cwd?: string): void {
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
