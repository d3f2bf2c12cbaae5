import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate and its key, as PEM and as files. */
export interface Certificate {
  cert: string;
  key: string;
  certFile: string;
  keyFile: string;
}

export interface Authority extends Certificate {
  /** A certificate for `localhost` and 127.0.0.1, for either end of a connection. */
  issue(name: string): Certificate;
  remove(): void;
}

/** A certificate authority of a test's own, made by openssl in a folder that `remove` clears away. */
export function makeAuthority(name: string): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'authority-'));
  const make = (file: string, subject: string, ...extra: string[]): Certificate => {
    const [certFile, keyFile] = [join(folder, `${file}.pem`), join(folder, `${file}.key`)];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const files = ['-keyout', keyFile, '-out', certFile, '-days', '2', '-subj', `/CN=${subject}`];
    execFileSync('openssl', ['req', '-x509', ...curve, ...files, ...extra], { stdio: 'pipe' });
    return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8'), certFile, keyFile };
  };
  const authority = make('authority', name, '-addext', 'keyUsage=critical,keyCertSign');
  const byAuthority = ['-CA', authority.certFile, '-CAkey', authority.keyFile];
  const names = [
    '-addext',
    'subjectAltName=DNS:localhost,IP:127.0.0.1',
    '-addext',
    'basicConstraints=critical,CA:FALSE',
  ];
  return {
    ...authority,
    issue: (subject) => make(subject, subject, ...byAuthority, ...names),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
