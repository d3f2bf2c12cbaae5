import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';
import ipaddr from 'ipaddr.js';

const HEADER = 'x-forwarded-for';
/** `192.0.2.7:4711` */
const IPV4_WITH_PORT = /^([\d.]+):\d*$/;
/** `[2001:db8::7]` and `[2001:db8::7]:4711` */
const BRACKETED = /^\[(.*)\](?::\d*)?$/;
/** RFC 7239, 6.2: what a proxy writes where it does not know the address. */
const UNKNOWN = 'unknown';
/**
 * More than any chain of trusted proxies has. What stands further left is of the client's making and never asked for, and
 * to read thousands of entries, as a header has room for, would take a good part of a second.
 */
const MAX_ENTRIES = 32;
/** More than an address has with brackets, zone and port. */
const MAX_ENTRY_LENGTH = 100;

/**
 * Rewrites `X-Forwarded-For` so that each entry is a bare address. Some proxies write the client's port too, which is
 * another one for each connection: a limit by address would then count each connection as a client of its own.
 *
 * @returns the last entries in their order, empty ones left out; `unknown` for what is not an address
 */
export function normaliseForwardedFor(header: string): string {
  return header
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean)
    .slice(-MAX_ENTRIES)
    .map(addressOf)
    .join(', ');
}

/** Normalises the header in place, before anything asks for the client's address. */
export function normaliseForwardedHeaders(headers: IncomingHttpHeaders): void {
  const header = headers[HEADER];
  if (header !== undefined) headers[HEADER] = normaliseForwardedFor(String(header));
}

/** Must be the first hook: Fastify reads the header each time `request.ip` is asked for. */
export function normaliseClientAddresses(server: FastifyInstance): void {
  server.addHook('onRequest', (request, _reply, done) => {
    normaliseForwardedHeaders(request.raw.headers);
    done();
  });
}

function addressOf(entry: string): string {
  if (entry.length > MAX_ENTRY_LENGTH) return UNKNOWN;
  const text = entry.replaceAll('"', '').trim();
  const address = IPV4_WITH_PORT.exec(text)?.[1] ?? BRACKETED.exec(text)?.[1] ?? text;
  return ipaddr.isValid(address) ? ipaddr.process(address).toString() : UNKNOWN;
}
