import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Apt, openApt } from './apt.js';
import type { PackageFile } from './apt-output.js';
import { withLock } from './lock.js';
import { runTool } from './tool.js';

const MANIFEST = 'manifest.json';

/** A program of Debian's that is to be unpacked beside the system. */
export interface TreeRequest {
  /** Its folder's name in the cache. */
  id: string;
  /** What messages call it. */
  title: string;
  /** Finds the package to take; undefined when the suite has none. */
  find(apt: Apt): Promise<string | undefined>;
  /** Packages that it depends on but runs without. What hangs on them alone is left out as well. */
  prune: RegExp;
  /**
   * Makes the unpacked tree ready and proves that it runs. If it throws, the tree is built again with nothing
   * pruned, so a list that has aged costs time and nothing else.
   */
  finish(folder: string): Promise<void>;
}

/** An unpacked program, complete and proven. */
export interface PackageTree {
  /** Holds `root/` (the packages' files) and whatever `finish` made. */
  folder: string;
  /** Package that was asked for. */
  name: string;
}

interface Manifest {
  name: string;
  packages: string[];
}

function readTree(folder: string): PackageTree | undefined {
  const file = join(folder, MANIFEST);
  if (!existsSync(file)) return undefined;
  return { folder, name: (JSON.parse(readFileSync(file, 'utf8')) as Manifest).name };
}

async function unpack(archives: string[], root: string): Promise<void> {
  const queue = [...archives];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      await runTool('dpkg-deb', ['--extract', next, root]);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

async function build(request: TreeRequest, name: string, files: PackageFile[], archives: string[], target: string) {
  const draft = `${target}.unfinished`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(join(draft, 'root'), { recursive: true });
  await unpack(archives, join(draft, 'root'));
  await request.finish(draft);
  const manifest: Manifest = { name, packages: files.map((file) => file.file) };
  writeFileSync(join(draft, MANIFEST), JSON.stringify(manifest, null, 2));
  // The rename is what makes it visible: a tree with its final name is a complete one.
  rmSync(target, { recursive: true, force: true });
  renameSync(draft, target);
}

type Log = (line: string) => void;

const opened = new Map<string, Promise<Apt>>();

/** The package lists are read once in a process: two programs fetched one after the other need the same ones. */
function aptOnce(folder: string): Promise<Apt> {
  const apt = opened.get(folder) ?? openApt(folder);
  opened.set(folder, apt);
  apt.catch(() => opened.delete(folder));
  return apt;
}

async function fetchTree(request: TreeRequest, cache: string, target: string, log: Log): Promise<void> {
  const apt = await aptOnce(join(cache, 'apt'));
  const name = await request.find(apt);
  if (!name) throw new Error(`Debian's archive has no package for ${request.title}`);
  const label = `fetching ${request.title}`;
  const closure = await apt.closure(name, (candidate) => request.prune.test(candidate));
  const archives = await apt.download(label, closure, log);
  try {
    await build(request, name, closure, archives, target);
  } catch (error) {
    const everything = await apt.closure(name, () => false);
    if (everything.length === closure.length) throw error;
    log(`${request.title} doesn't run from the packages chosen, fetching everything it depends on`);
    await build(request, name, everything, await apt.download(label, everything, log), target);
  }
  for (const entry of readdirSync(join(cache, 'apt', 'archives'))) {
    if (entry.endsWith('.deb')) rmSync(join(cache, 'apt', 'archives', entry));
  }
}

/**
 * The unpacked program out of the cache folder, fetched first when it isn't there. Of two processes that want it
 * at once the second waits for the first.
 *
 * @throws Error in one sentence when it can't be had.
 */
export async function ensureTree(request: TreeRequest, cache: string, log: Log): Promise<PackageTree> {
  const target = join(cache, request.id);
  const present = readTree(target);
  if (present) return present;
  mkdirSync(cache, { recursive: true, mode: 0o755 });
  await withLock(
    join(cache, 'lock'),
    ({ pid }) => log(`waiting for process ${pid}, which is fetching into ${cache}`),
    async () => {
      if (!readTree(target)) await fetchTree(request, cache, target, log);
    },
  );
  return readTree(target)!;
}
