import { BlockList } from 'node:net';
import { ValidatorConstraint, type ValidatorConstraintInterface } from 'class-validator';

/** Names that the server knows for loopback, link-local and private addresses. */
const NAMED_RANGES = new Set(['loopback', 'linklocal', 'uniquelocal']);

function isAddressRange(text: string): boolean {
  const [address = '', prefix] = text.split('/');
  const family = address.includes(':') ? 'ipv6' : 'ipv4';
  const length = prefix === undefined ? (family === 'ipv6' ? 128 : 32) : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  try {
    new BlockList().addSubnet(address, length, family);
    return true;
  } catch {
    return false;
  }
}

/** Not `true`: it would believe whatever address a client makes up, and so lift every limit counted by address. */
@ValidatorConstraint({ name: 'isTrustProxy' })
export class IsTrustProxy implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    if (typeof value === 'number') return Number.isSafeInteger(value);
    if (!Array.isArray(value)) return value === false;
    return value.every((item: string) => NAMED_RANGES.has(item) || isAddressRange(item));
  }

  defaultMessage(): string {
    return 'must be false, the number of proxies before the service, or their addresses such as 10.0.0.0/8,192.168.1.7';
  }
}

/** As a browser writes it in `Origin`: anything else could never match. */
@ValidatorConstraint({ name: 'isOrigin' })
export class IsOrigin implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    if (value === '*') return true;
    if (typeof value !== 'string' || !/^https?:/.test(value)) return false;
    return URL.canParse(value) && new URL(value).origin === value;
  }

  defaultMessage(): string {
    return 'must hold origins such as https://app.your-domain (lower case, no path, no default port), or * for any';
  }
}
