import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { writePrivateFile } from './atomic-file.js';

const SECRET_BYTES = 32;

/** The service's secrets under the names of its environment variables. */
export interface LocalSecrets {
  APP_SECRETS: string;
  /** PEM, PKCS #8, EC P-256. */
  JWT_PRIVATE_KEYS: string;
}

function makeSecrets(): LocalSecrets {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return { APP_SECRETS: randomBytes(SECRET_BYTES).toString('base64url'), JWT_PRIVATE_KEYS: privateKey };
}

/**
 * Secrets of this checkout's own, made on first use: kept, because sessions and encrypted data hang on them.
 *
 * @throws Error when the file is there but holds no secrets; it isn't replaced, for what it encrypted would be lost.
 */
export function loadSecrets(file: string): LocalSecrets {
  if (!existsSync(file)) writePrivateFile(file, JSON.stringify(makeSecrets(), null, 2));
  try {
    const { APP_SECRETS, JWT_PRIVATE_KEYS } = JSON.parse(readFileSync(file, 'utf8')) as LocalSecrets;
    if (APP_SECRETS && JWT_PRIVATE_KEYS) return { APP_SECRETS, JWT_PRIVATE_KEYS };
  } catch {
    // Said below.
  }
  throw new Error(`${file} is damaged: restore it, or remove the folder it is in to start with empty data.`);
}
