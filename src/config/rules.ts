import { createECDH, createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { type ValidationArguments, ValidatorConstraint, type ValidatorConstraintInterface } from 'class-validator';
import { type ModuleName, MODULES } from '../contracts/modules.js';
import { purposesOf } from './key-purposes.js';
import { toPemList } from './parse.js';

const MIN_SECRET_LENGTH = 32;
const MIN_SECRET_DISTINCT_CHARACTERS = 12;
const PLACEHOLDER = /change.?me|placeholder|example|your.?secret|dummy|default/i;

@ValidatorConstraint({ name: 'isSecretList' })
export class IsSecretList implements ValidatorConstraintInterface {
  validate(secrets: unknown): boolean {
    return Array.isArray(secrets) && secrets.length > 0 && secrets.every(isSecret);
  }

  defaultMessage(): string {
    return `must hold one or more random secrets of at least ${MIN_SECRET_LENGTH} characters, separated by commas; make one with: openssl rand -base64 48 (a process of a split service takes APP_KEYS instead)`;
  }
}

const APP_KEY = /^([\w.-]+):[\w-]{43}$/;

/** `<purpose>:<32 bytes in base64url>`, one or more for each purpose that the modules served need. */
@ValidatorConstraint({ name: 'isAppKeyList' })
export class IsAppKeyList implements ValidatorConstraintInterface {
  validate(entries: unknown, { object }: ValidationArguments): boolean {
    return isAppKeyList(entries) && missingPurposes(entries, object).length === 0;
  }

  defaultMessage({ value, object }: ValidationArguments): string {
    const wrong = isAppKeyList(value)
      ? `lacks keys of ${missingPurposes(value, object).join(', ')}`
      : 'must hold keys as purpose:key, separated by commas';
    return `${wrong}; print those that a module needs with: cli keys derive app-secret --for MODULES`;
  }
}

function isAppKeyList(entries: unknown): entries is string[] {
  return Array.isArray(entries) && entries.length > 0 && entries.every((entry) => APP_KEY.test(String(entry)));
}

function missingPurposes(entries: string[], variables: object): string[] {
  const { MODULES: served } = variables as { MODULES: unknown };
  const given = new Set(entries.map((entry) => APP_KEY.exec(entry)?.[1]));
  return purposesOf(Array.isArray(served) ? (served as string[]) : MODULES).filter((purpose) => !given.has(purpose));
}

@ValidatorConstraint({ name: 'isSigningKeyList' })
export class IsSigningKeyList implements ValidatorConstraintInterface {
  validate(pems: unknown): boolean {
    return Array.isArray(pems) && pems.length > 0 && pems.every(isSigningKey);
  }

  defaultMessage(): string {
    return 'must hold one or more EC P-256 private keys as PEM; make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256';
  }
}

@ValidatorConstraint({ name: 'isVerificationKeyList' })
export class IsVerificationKeyList implements ValidatorConstraintInterface {
  validate(pems: unknown): boolean {
    return Array.isArray(pems) && pems.length > 0 && pems.every(isVerificationKey);
  }

  defaultMessage(): string {
    return 'must hold one or more EC P-256 public keys as PEM; print them with: cli keys public jwt';
  }
}

/** PEM of one or more certificates, every one of which can be read. */
@ValidatorConstraint({ name: 'isCertificateList' })
export class IsCertificateList implements ValidatorConstraintInterface {
  validate(text: unknown): boolean {
    const pems = toPemList({ value: text });
    return Array.isArray(pems) && pems.length > 0 && pems.every((pem: string) => readCertificate(pem));
  }

  defaultMessage(): string {
    return 'must hold one or more certificates as PEM';
  }
}

/** The private key of the (first) certificate in the variable that is the rule's argument. */
@ValidatorConstraint({ name: 'isKeyOfCertificate' })
export class IsKeyOfCertificate implements ValidatorConstraintInterface {
  validate(pem: unknown, { constraints, object }: ValidationArguments): boolean {
    const certificate = readCertificate((object as Record<string, unknown>)[String(constraints[0])]);
    try {
      return certificate?.checkPrivateKey(createPrivateKey(String(pem))) ?? false;
    } catch {
      return false;
    }
  }

  defaultMessage({ constraints }: ValidationArguments): string {
    return `must hold the private key, as PEM without a passphrase, of the certificate in ${String(constraints[0])}`;
  }
}

export const VAPID_PAIR =
  'must be half of a pair for Web Push, beside the other half; make one with: npx web-push generate-vapid-keys';

/** The public half (RFC 8292) of what is in `VAPID_PRIVATE_KEY`, in base64url. */
@ValidatorConstraint({ name: 'isVapidPublicKey' })
export class IsVapidPublicKey implements ValidatorConstraintInterface {
  validate(publicKey: unknown, { object }: ValidationArguments): boolean {
    const { VAPID_PRIVATE_KEY: privateKey } = object as { VAPID_PRIVATE_KEY?: unknown };
    if (typeof publicKey !== 'string') return false;
    if (typeof privateKey !== 'string') return true; // that one is complained about
    try {
      const pair = createECDH('prime256v1');
      pair.setPrivateKey(Buffer.from(privateKey, 'base64url'));
      return pair.getPublicKey('base64url') === publicKey;
    } catch {
      return false;
    }
  }

  defaultMessage(): string {
    return VAPID_PAIR;
  }
}

/** `[server, scheme]`: an address of that scheme, or of its TLS form, which it must be where there are certificates. */
@ValidatorConstraint({ name: 'isServerAddress' })
export class IsServerAddress implements ValidatorConstraintInterface {
  validate(url: unknown, given: ValidationArguments): boolean {
    const [, scheme] = given.constraints as [string, string];
    if (typeof url !== 'string' || !new RegExp(`^${scheme}${wantsTls(given) ? 's' : 's?'}://.+`).test(url))
      return false;
    if (!URL.canParse(url)) return false;
    const { username, password, pathname } = new URL(url);
    return isDecodable(username + password) && (scheme !== 'redis' || /^(\/\d*)?$/.test(pathname));
  }

  defaultMessage(given: ValidationArguments): string {
    const [server, scheme] = given.constraints as [string, string];
    const article = scheme === 'amqp' ? 'an' : 'a';
    const path = scheme === 'redis' ? ', with the number of a database as its path or none' : '';
    if (!wantsTls(given)) return `must be ${article} ${scheme}:// or ${scheme}s:// address${path}`;
    return `must be ${article} ${scheme}s:// address${path}, since there are certificates for it (${server}_TLS_*)`;
  }
}

/** Whether each `%` begins the code of a byte, and the bytes are UTF-8: clients of servers would fail when they read it. */
function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function wantsTls({ constraints, object }: ValidationArguments): boolean {
  const variables = object as Record<string, string | undefined>;
  const server = String(constraints[0]);
  return Boolean(variables[`${server}_TLS_CA`] || variables[`${server}_TLS_CERT`]);
}

/** Modules in different processes can't hear each other in-process. */
@ValidatorConstraint({ name: 'isBusForModules' })
export class IsBusForModules implements ValidatorConstraintInterface {
  validate(bus: unknown, { object }: ValidationArguments): boolean {
    if (bus !== 'in-process') return bus === 'rabbitmq';
    const { MODULES: served } = object as { MODULES: ModuleName[] };
    const wrong = new Set(served).size < served.length || served.some((name) => !MODULES.includes(name));
    return wrong || served.length === MODULES.length; // what is wrong is for the rule of MODULES to say
  }

  defaultMessage({ value }: ValidationArguments): string {
    return value === 'in-process'
      ? 'must be rabbitmq where MODULES names only some of the modules'
      : 'must be in-process or rabbitmq';
  }
}

@ValidatorConstraint({ name: 'isOtherPort' })
export class IsOtherPort implements ValidatorConstraintInterface {
  validate(port: unknown, { object }: ValidationArguments): boolean {
    return port === 0 || port !== (object as { PORT: number }).PORT;
  }

  defaultMessage(): string {
    return 'must be another port than PORT';
  }
}

@ValidatorConstraint({ name: 'isWorkerCount' })
export class IsWorkerCount implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return value === 'auto' || (Number.isSafeInteger(value) && (value as number) > 0);
  }

  defaultMessage(): string {
    return 'must be a number of processes, or auto for one a processor';
  }
}

/** Long enough, and neither a pattern nor a placeholder from an example. */
export function isSecret(secret: string): boolean {
  return (
    secret.length >= MIN_SECRET_LENGTH &&
    new Set(secret).size >= MIN_SECRET_DISTINCT_CHARACTERS &&
    !PLACEHOLDER.test(secret)
  );
}

/** A PEM of an EC P-256 private key, what ES256 signs with. */
export function isSigningKey(pem: string): boolean {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  } catch {
    return false;
  }
}

/** A PEM of the public half of such a key; of a private key, which has that half too, it is none. */
function isVerificationKey(pem: string): boolean {
  try {
    const key = createPublicKey(pem);
    const isP256 = key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
    return isP256 && pem.startsWith('-----BEGIN PUBLIC KEY-----');
  } catch {
    return false;
  }
}

function readCertificate(pem: unknown): X509Certificate | undefined {
  try {
    return typeof pem === 'string' ? new X509Certificate(pem) : undefined;
  } catch {
    return undefined;
  }
}
