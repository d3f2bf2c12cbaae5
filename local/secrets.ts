import { createECDH, generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { writePrivateFile } from './atomic-file.js';

const SECRET_BYTES = 32;

/** The service's secrets under the names of its environment variables. */
export interface LocalSecrets {
  APP_SECRETS: string;
  /** PEM, PKCS #8, EC P-256. */
  JWT_PRIVATE_KEYS: string;
  /** The pair for Web Push (RFC 8292), base64url. */
  VAPID_PUBLIC_KEY: string;
  VAPID_PRIVATE_KEY: string;
}

function makeSecrets(): LocalSecrets {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return {
    APP_SECRETS: randomBytes(SECRET_BYTES).toString('base64url'),
    JWT_PRIVATE_KEYS: privateKey,
    ...makeVapidKeys(),
  };
}

function makeVapidKeys(): Pick<LocalSecrets, 'VAPID_PUBLIC_KEY' | 'VAPID_PRIVATE_KEY'> {
  const pair = createECDH('prime256v1');
  pair.generateKeys();
  // A private key that begins with zeros comes out shorter.
  const privateKey = Buffer.concat([Buffer.alloc(SECRET_BYTES), pair.getPrivateKey()]).subarray(-SECRET_BYTES);
  return { VAPID_PUBLIC_KEY: pair.getPublicKey('base64url'), VAPID_PRIVATE_KEY: privateKey.toString('base64url') };
}

/**
 * Secrets of this checkout's own, made on first use: kept, because sessions and encrypted data hang on them. What an older
 * release didn't know is added.
 *
 * @throws Error when the file is there but holds no secrets; it isn't replaced, for what it encrypted would be lost.
 */
export function loadSecrets(file: string): LocalSecrets {
  if (!existsSync(file)) writePrivateFile(file, JSON.stringify(makeSecrets(), null, 2));
  const kept = readSecrets(file);
  if (kept.VAPID_PUBLIC_KEY && kept.VAPID_PRIVATE_KEY) return kept as LocalSecrets;
  const completed = { ...kept, ...makeVapidKeys() };
  writePrivateFile(file, JSON.stringify(completed, null, 2));
  return completed;
}

type KeptSecrets = Pick<LocalSecrets, 'APP_SECRETS' | 'JWT_PRIVATE_KEYS'> & Partial<LocalSecrets>;

function readSecrets(file: string): KeptSecrets {
  try {
    const { APP_SECRETS, JWT_PRIVATE_KEYS, VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY } = JSON.parse(
      readFileSync(file, 'utf8'),
    ) as LocalSecrets;
    if (APP_SECRETS && JWT_PRIVATE_KEYS) return { APP_SECRETS, JWT_PRIVATE_KEYS, VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY };
  } catch {
    // Said below.
  }
  throw new Error(`${file} is damaged: restore it, or remove the folder it is in to start with empty data.`);
}
