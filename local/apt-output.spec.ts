import { debianMirrors, parseDepends, parseDownloadStatus, parsePrintUris, reachable } from './apt-output.js';

const HASH = 'a'.repeat(64);

describe('parsePrintUris', () => {
  it('reads name, file, size and hash of each package', () => {
    const output = [
      `'http://mirror/pool/main/g/glibc/libc6_2.43-7_amd64.deb' libc6_2.43-7_amd64.deb 1866392 SHA256:${HASH}`,
      `'http://mirror/pool/main/r/redis/redis-server_5%3a8.0.6-3_amd64.deb' redis-server_5%3a8.0.6-3_amd64.deb 64264 SHA256:${HASH}`,
    ].join('\n');
    expect(parsePrintUris(output)).toEqual([
      { name: 'libc6', file: 'libc6_2.43-7_amd64.deb', bytes: 1_866_392, sha256: HASH },
      { name: 'redis-server', file: 'redis-server_5%3a8.0.6-3_amd64.deb', bytes: 64_264, sha256: HASH },
    ]);
  });

  it('passes over warnings and files without a hash that can be trusted', () => {
    const md5 = `'http://mirror/a.deb' a_1_all.deb 1 MD5Sum:${'b'.repeat(32)}`;
    expect(parsePrintUris(`W: something\n${md5}\n`)).toEqual([]);
  });
});

describe('reachable', () => {
  const graph = parseDepends(
    [
      'engine',
      '  Depends: postgres',
      ' |Depends: <virtual>',
      '    maps',
      '  PreDepends: libc6',
      'maps',
      '  Depends: gdal',
      'gdal',
      '  Depends: poppler',
      'postgres',
      '  Depends: libc6',
    ].join('\n'),
  );

  it('follows dependencies, alternatives and providers', () => {
    expect([...reachable('engine', graph, () => false)].sort()).toEqual([
      '<virtual>',
      'engine',
      'gdal',
      'libc6',
      'maps',
      'poppler',
      'postgres',
    ]);
  });

  it('leaves out what hangs on a pruned package alone', () => {
    const names = reachable('engine', graph, (name) => name === 'gdal');
    expect(names.has('gdal')).toBe(false);
    expect(names.has('poppler')).toBe(false);
    expect(names.has('libc6')).toBe(true);
  });
});

describe('parseDownloadStatus', () => {
  it('gives the fraction that has come', () => {
    expect(parseDownloadStatus('dlstatus:3:12.5:Retrieving file 3 of 72 (2s remaining)')).toBe(0.125);
  });

  it('gives nothing for other lines', () => {
    expect(parseDownloadStatus('Get:1 http://mirror testing InRelease')).toBeUndefined();
  });
});

describe('debianMirrors', () => {
  it("prefers the host's own mirror of the main archive and ends with the fallback", () => {
    const output =
      'https://mirror.example/debian/\nhttps://mirror.example/debian-security/\nhttps://deb.example/node_20.x/\n';
    expect(debianMirrors(output, 'http://fallback/debian')).toEqual([
      'https://mirror.example/debian',
      'http://fallback/debian',
    ]);
  });

  it('names each mirror once', () => {
    expect(debianMirrors('http://m/debian/\nhttp://m/debian/\n', 'http://m/debian')).toEqual(['http://m/debian']);
  });
});
