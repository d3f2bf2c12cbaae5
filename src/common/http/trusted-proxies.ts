import type { FastifyServerOptions } from 'fastify';
import type { HttpEnvironment } from '../../config/areas/http.environment.js';

/**
 * Whose `X-Forwarded-For` is believed. With a number, that many entries from the right: each proxy appends the address it
 * was called from, so those are of our own proxies' making, and what a client put there stands further left. With a
 * list, the entries that the listed addresses appended.
 *
 * Fastify takes no number, since it can't know that nobody reaches the service past the proxies: operators who set
 * one have to see to that.
 */
export function trustedProxies(trusted: HttpEnvironment['TRUST_PROXY']): FastifyServerOptions['trustProxy'] {
  return typeof trusted === 'number' ? (_address, hop) => hop < trusted : trusted;
}
