import ipaddr from 'ipaddr.js';

/** A /56, what many subscribers have (RFC 6177, 2): a client with one address of it may have all of them. */
const IPV6_PREFIX_BYTES = 7;
/** All that is not an address counts as one client: otherwise any made-up text would be a client of its own. */
const UNKNOWN = 'unknown';

/**
 * What of a client's address limits count by: an IPv4 address, also where it is written as an IPv6 one (RFC 4291, 2.5.5.2), or
 * the /56 of an IPv6 address.
 */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return UNKNOWN;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  const prefix = parsed.toByteArray().slice(0, IPV6_PREFIX_BYTES);
  return `${Buffer.from(prefix).toString('hex')}/56`;
}
