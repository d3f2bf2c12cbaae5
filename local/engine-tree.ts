import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import type { Apt } from './apt.js';
import { findLoader } from './loader.js';
import type { TreeRequest } from './package-tree.js';
import { freePort } from './ports.js';
import { startPostgres } from './postgres-server.js';
import { runTool } from './tool.js';
import { serverUser } from './unprivileged.js';

const PACKAGE = /^postgresql-(\d+)-documentdb$/;

/**
 * What PostgreSQL and DocumentDB depend on in Debian but never load: the map formats of PostGIS's raster part
 * (GDAL, three quarters of the bytes), the tools around a system-wide cluster, and what maintainer scripts want.
 */
const PRUNED = new RegExp(
  `^(${[
    'libgdal\\d.*',
    'libsfcgal\\d.*',
    'proj-data',
    'perl(-.*)?',
    'lib.*-perl',
    'postgresql-client-.*',
    'postgresql-common.*',
    'adduser',
    'base-passwd',
    'debconf',
    'passwd',
    'ucf',
    'sensible-utils',
    'systemd',
    'procps',
    'sysvinit-utils',
    'netbase',
    'locales.*',
    'libc-(bin|l10n|gconv.*)',
    'openssl.*',
    'ssl-cert',
    'libpam-(modules.*|runtime)',
    'tzdata',
    'gcc-.*-base',
    'lib.*-common',
  ].join('|')})$`,
);

/** The major version in the package's name; it moves with Debian's PostgreSQL. */
export function postgresMajor(packageName: string): number {
  return Number(PACKAGE.exec(packageName)?.[1]);
}

/** Of several, the newest; or, for data that exists, exactly the one that can read it. */
export function choosePackage(names: string[], major?: number): string | undefined {
  const found = names.filter((name) => PACKAGE.test(name)).sort((a, b) => postgresMajor(b) - postgresMajor(a));
  return major === undefined ? found[0] : found.find((name) => postgresMajor(name) === major);
}

/** `bin` of the PostgreSQL in an unpacked tree. */
export function binFolder(folder: string): string {
  const base = join(folder, 'root/usr/lib/postgresql');
  const [major] = readdirSync(base);
  return join(base, major!, 'bin');
}

/** An initialised data folder with the extension in it, to be copied. */
export function templateFolder(folder: string): string {
  return join(folder, 'template');
}

/**
 * Puts a script in a program's place that starts it with the tree's own loader and libraries. The system's C
 * library may be older than what the program was built for.
 */
function wrapProgram(root: string, bin: string, program: string): void {
  const { file, libraries } = findLoader(root);
  const path = join(bin, program);
  renameSync(path, `${path}.bin`);
  const script = [
    '#!/bin/sh',
    'root="${0%/usr/lib/postgresql/*}"',
    `exec "$root/${file}" --argv0 "$0" --library-path "$root/${libraries}:$(dirname "$0")/../lib" "$0.bin" "$@"`,
  ];
  writeFileSync(path, `${script.join('\n')}\n`);
  chmodSync(path, 0o755);
}

/** What PostGIS's maintainer script would have done. */
function linkPostgis(root: string): void {
  const share = join(root, 'usr/share/postgresql');
  for (const major of readdirSync(share)) {
    const link = join(share, major, 'extension/postgis.control');
    if (!existsSync(link)) symlinkSync('postgis-3.control', link);
  }
}

/** Makes the template; that the extension can be created in it proves that the tree runs. */
async function makeTemplate(folder: string): Promise<void> {
  const data = templateFolder(folder);
  const user = serverUser();
  mkdirSync(data, { mode: 0o700 });
  if (user) chownSync(data, user.uid, user.gid);
  const options = ['-A', 'trust', '--no-locale', '-E', 'UTF8', '-U', 'postgres', '--no-sync'];
  await runTool(join(binFolder(folder), 'initdb'), ['-D', data, ...options], { user, cwd: '/' });
  const port = await freePort();
  const server = await startPostgres({ bin: binFolder(folder), dataDir: data, port, durable: false });
  try {
    const sql = postgres({ host: '127.0.0.1', port, user: 'postgres', max: 1, onnotice: () => undefined });
    await sql.unsafe('CREATE EXTENSION documentdb CASCADE; CREATE EXTENSION documentdb_extended_rum');
    await sql.end();
  } finally {
    await server.stop();
  }
}

/**
 * PostgreSQL with DocumentDB as a tree of Debian's packages, with a template of its data folder.
 *
 * @param major the PostgreSQL that existing data needs
 */
export function engineTree(major?: number): TreeRequest {
  return {
    id: major === undefined ? 'documentdb' : `documentdb-${major}`,
    title: 'PostgreSQL with DocumentDB',
    prune: PRUNED,
    find: async (apt: Apt) => choosePackage(await apt.names('postgresql-'), major),
    async finish(folder) {
      const root = join(folder, 'root');
      for (const program of ['postgres', 'initdb']) wrapProgram(root, binFolder(folder), program);
      linkPostgis(root);
      await makeTemplate(folder);
    },
  };
}
