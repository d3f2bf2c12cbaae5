import ipaddr from 'ipaddr.js';

/** What one subscriber has at least (RFC 6177): who has one address of it has all 2^64. */
const IPV6_PREFIX_BYTES = 8;

/**
 * What of a client's address limits count by: an IPv4 address, also where it is written as an IPv6 one (RFC 4291, 2.5.5.2), or
 * the /64 of an IPv6 address. What is no address, which a proxy may send, is taken as it is.
 */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  const prefix = parsed.toByteArray().slice(0, IPV6_PREFIX_BYTES);
  return `${Buffer.from(prefix).toString('hex')}/64`;
}
