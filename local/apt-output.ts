/** A package file as apt would fetch it. */
export interface PackageFile {
  name: string;
  /** What apt calls the downloaded file. */
  file: string;
  bytes: number;
  sha256: string;
}

/** Reads `apt-get install --print-uris` (with SHA256 forced): `'uri' name_version_arch.deb bytes SHA256:hash` a line. */
export function parsePrintUris(output: string): PackageFile[] {
  const files: PackageFile[] = [];
  for (const line of output.split('\n')) {
    const match = /^'[^']*' (([^_\s]+)_\S+) (\d+) SHA256:([0-9a-f]{64})$/.exec(line.trim());
    if (match) files.push({ file: match[1]!, name: match[2]!, bytes: Number(match[3]), sha256: match[4]! });
  }
  return files;
}

/** Reads `apt-cache depends`: a package at the margin, below it, indented, what it depends on. */
export function parseDepends(output: string): Map<string, string[]> {
  const graph = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of output.split('\n')) {
    if (/^\S/.test(line)) graph.set(line.trim(), (current = []));
    else if (line.trim()) current.push(line.trim().replace(/^\|?(Pre)?Depends: /, ''));
  }
  return graph;
}

/** The part of `graph` that is reached from `start` without passing through a package that `isPruned`. */
export function reachable(
  start: string,
  graph: ReadonlyMap<string, readonly string[]>,
  isPruned: (name: string) => boolean,
): Set<string> {
  const seen = new Set([start]);
  for (const name of seen) {
    for (const next of graph.get(name) ?? []) if (!isPruned(next)) seen.add(next);
  }
  return seen;
}

/** The fraction (0 to 1) in a line of apt's status channel, `dlstatus:3:12.5:Retrieving file 3 of 72`. */
export function parseDownloadStatus(line: string): number | undefined {
  const match = /^dlstatus:\d+:([\d.]+):/.exec(line);
  return match ? Number(match[1]) / 100 : undefined;
}

/**
 * The mirrors of Debian's main archive among the repositories the host's apt uses, then `fallback`.
 *
 * @param output repository addresses, one a line (`apt-get indextargets --format '$(REPO_URI)'`)
 */
export function debianMirrors(output: string, fallback: string): string[] {
  const uris = output
    .split('\n')
    .map((line) => line.trim().replace(/\/+$/, ''))
    .filter((uri) => /^https?:\/\/.*\/debian$/.test(uri));
  return [...new Set([...uris, fallback])];
}
