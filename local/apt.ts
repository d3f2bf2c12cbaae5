import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianMirrors, parseDepends, parseDownloadStatus, parsePrintUris, reachable } from './apt-output.js';
import type { PackageFile } from './apt-output.js';
import { startProgress } from './progress.js';
import { runTool, ToolError } from './tool.js';

/** Where Debian's packages come from when the host's own apt names no mirror (Ubuntu, say). */
const PUBLIC_MIRROR = 'http://deb.debian.org/debian';
const SUITE = 'testing';
const KEYRINGS = ['gpg', 'pgp'].map((ending) => `/usr/share/keyrings/debian-archive-keyring.${ending}`);

const ENV = { ...process.env, LC_ALL: 'C', APT_LISTCHANGES_FRONTEND: 'none' };

/** An apt of its own: own sources, own state, nothing of the system's changed or consulted but proxies and credentials. */
export interface Apt {
  /** Names of packages that begin with `prefix`. */
  names(prefix: string): Promise<string[]>;
  /** What installing `name` on an empty system would fetch, without what hangs on pruned packages alone. */
  closure(name: string, isPruned: (name: string) => boolean): Promise<PackageFile[]>;
  /** Fetches and verifies; what an interrupted run left is gone on with. Returns the files' paths. */
  download(label: string, files: PackageFile[], log: (line: string) => void): Promise<string[]>;
}

/** `-c` is read after the host's own configuration, so these win over it. */
function configuration(folder: string): string {
  const settings: Record<string, string> = {
    'Dir::Etc::sourcelist': join(folder, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::State': join(folder, 'state'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': join(folder, 'cache'),
    // Always empty: `--print-uris` leaves out what it finds here. Downloads go to a folder of ours.
    'Dir::Cache::archives': join(folder, 'cache/archives'),
    'APT::Default-Release': '',
    'APT::Install-Recommends': 'false',
    'APT::Get::AllowUnauthenticated': 'false',
    'APT::Update::Error-Mode': 'any',
    'APT::Sandbox::User': process.getuid?.() === 0 ? 'root' : '',
    'Acquire::AllowInsecureRepositories': 'false',
    'Acquire::AllowWeakRepositories': 'false',
    'Acquire::AllowDowngradeToInsecureRepositories': 'false',
    'Acquire::ForceHash': 'SHA256',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '1',
    'Acquire::http::Timeout': '10',
    'Acquire::https::Timeout': '10',
    'Acquire::PDiffs': 'false',
  };
  const cleared = ['APT::Update::Pre-Invoke', 'APT::Update::Post-Invoke', 'APT::Update::Post-Invoke-Success'];
  return [
    ...cleared.map((name) => `#clear ${name};`),
    ...Object.entries(settings).map(([name, value]) => `${name} "${value}";`),
  ].join('\n');
}

async function requireDebianTools(): Promise<string> {
  try {
    await runTool('dpkg-deb', ['--version']);
    return await runTool('dpkg', ['--print-architecture']);
  } catch {
    throw new Error("this isn't a Debian or Ubuntu, whose packages could be used (no apt-get and dpkg-deb)");
  }
}

function requireKeyring(): string {
  const keyring = KEYRINGS.find((file) => existsSync(file));
  if (keyring) return keyring;
  throw new Error("Debian's signatures can't be checked: install the package debian-archive-keyring and start again");
}

async function hostMirrors(): Promise<string[]> {
  const targets = await runTool('apt-get', ['indextargets', '--format', '$(REPO_URI)'], { env: ENV }).catch(() => '');
  return debianMirrors(targets, PUBLIC_MIRROR);
}

/** One sentence out of what apt said. */
function explainUpdateFailure(mirror: string, error: unknown): string {
  const output = error instanceof ToolError ? error.output : String(error);
  if (/NO_PUBKEY|not signed|GPG error|OpenPGP/i.test(output)) {
    return `${mirror}: its signature can't be verified with this system's keys (upgrade debian-archive-keyring)`;
  }
  const reason = output.split('\n').find((line) => /^[EW]: /.test(line)) ?? output.split('\n').at(-1) ?? '';
  return `${mirror}: ${reason.replace(/^[EW]: /, '')}`;
}

/**
 * Sets up the private apt in `folder` and reads the package lists of the first mirror that answers.
 *
 * @throws Error in one sentence when the host has no apt, can't verify Debian's signatures, or reaches no mirror.
 */
export async function openApt(folder: string): Promise<Apt> {
  const architecture = await requireDebianTools();
  const keyring = requireKeyring();
  for (const part of ['state/lists/partial', 'cache/archives/partial', 'archives']) {
    mkdirSync(join(folder, part), { recursive: true });
  }
  const config = join(folder, 'apt.conf');
  writeFileSync(config, configuration(folder));
  writeFileSync(join(folder, 'status'), '');
  const apt = (command: string, ...args: string[]): Promise<string> =>
    runTool(command, ['-c', config, ...args], { env: ENV });

  const failures: string[] = [];
  for (const mirror of await hostMirrors()) {
    const options = `arch=${architecture} signed-by=${keyring} target=Packages`;
    writeFileSync(join(folder, 'sources.list'), `deb [${options}] ${mirror} ${SUITE} main\n`);
    try {
      await apt('apt-get', 'update', '-qq');
      return aptIn(folder, config, apt);
    } catch (error) {
      failures.push(explainUpdateFailure(mirror, error));
    }
  }
  throw new Error(failures.join('; '));
}

function aptIn(folder: string, config: string, apt: (command: string, ...args: string[]) => Promise<string>): Apt {
  const archives = join(folder, 'archives');
  const isComplete = ({ file, sha256 }: PackageFile): boolean => {
    const path = join(archives, file);
    return existsSync(path) && createHash('sha256').update(readFileSync(path)).digest('hex') === sha256;
  };
  /** apt goes on with a part of a file; of one that is long enough and yet wrong it would make nothing better. */
  const dropUnresumable = ({ file, bytes }: PackageFile): void => {
    const path = join(archives, file);
    if (existsSync(path) && statSync(path).size >= bytes) rmSync(path);
  };
  return {
    names: async (prefix) => (await apt('apt-cache', 'pkgnames', prefix)).split('\n'),

    async closure(name, isPruned) {
      const files = parsePrintUris(await apt('apt-get', 'install', '--print-uris', '-qq', '-y', name));
      const kinds = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'];
      const names = files.map((file) => file.name);
      const graph = parseDepends(await apt('apt-cache', 'depends', ...kinds.map((kind) => `--no-${kind}`), ...names));
      const wanted = reachable(name, graph, isPruned);
      return files.filter((file) => wanted.has(file.name));
    },

    async download(label, files, log) {
      const missing = files.filter((file) => !isComplete(file));
      for (const file of missing) dropUnresumable(file);
      const bytes = missing.reduce((sum, file) => sum + file.bytes, 0);
      const progress = startProgress(label, bytes, log);
      const onLine = (line: string): void => {
        const fraction = parseDownloadStatus(line);
        if (fraction !== undefined) progress.update(fraction);
      };
      const args = ['-c', config, 'download', '-qq', '-o', 'APT::Status-Fd=1', ...missing.map((file) => file.name)];
      try {
        if (missing.length > 0) await runTool('apt-get', args, { cwd: archives, env: ENV, onLine });
      } finally {
        progress.done();
      }
      const broken = missing.find((file) => !isComplete(file));
      if (broken) {
        rmSync(join(archives, broken.file), { force: true });
        throw new Error(`${broken.file} arrived damaged: start again`);
      }
      return files.map((file) => join(archives, file.file));
    },
  };
}
