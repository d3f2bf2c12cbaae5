import { isIP } from 'node:net';
import { isPublicAddress } from './public-address.js';

/**
 * Top-level names that lead to nothing on the public internet: special-use names (RFC 6761, 6762, 7686, 8375, 9476), ICANN's
 * `internal`, and the usual names of local networks.
 */
const LOCAL_NAMES =
  /\.(localhost|local|internal|intranet|private|corp|home|lan|localdomain|test|invalid|onion|alt|home\.arpa)$/;

/**
 * Whether a text can be the address of a push service: https on the usual port, a public address or a name that can have one.
 * The name isn't looked up here: the answer would tell which names exist inside the network. The sender checks the
 * address that it connects to.
 */
export function isPushEndpoint(value: unknown): boolean {
  if (typeof value !== 'string' || !URL.canParse(value)) return false;
  const { protocol, username, password, port, hostname } = new URL(value);
  if (protocol !== 'https:' || username || password || port) return false;
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  return isIP(host) ? isPublicAddress(host) : host.includes('.') && !LOCAL_NAMES.test(host);
}
