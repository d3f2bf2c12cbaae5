import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { networkOf } from './client-network.js';

/** What every log line of a request says. */
export interface RequestContext {
  requestId: string;
  /** By `performance.now()`. */
  startedAt: number;
  /** The client's address. Never logged. */
  ip: string;
  /** Whether the client has closed the connection, so that nobody gets the answer; absent where there is no connection. */
  clientHasLeft?: () => boolean;
  userId?: string;
  /** Where the request came with an API key. */
  apiKeyId?: string;
}

export const requestContext = new AsyncLocalStorage<RequestContext>();

/** What a client may send as `X-Request-Id`; anything else is replaced. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** The client's `X-Request-Id` where it is a proper one, else a new one. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/**
 * Who shares a limit on concurrent work: the API key or else the user of an authenticated request, the client's network
 * of any other.
 */
export function callerOf({ apiKeyId, userId, ip }: Pick<RequestContext, 'apiKeyId' | 'userId' | 'ip'>): string {
  if (apiKeyId !== undefined) return `api-key:${apiKeyId}`;
  return userId === undefined ? `network:${networkOf(ip)}` : `user:${userId}`;
}
