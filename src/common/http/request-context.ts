import { AsyncLocalStorage } from 'node:async_hooks';

/** What every log line of a request says. */
export interface RequestContext {
  requestId: string;
  /** By `performance.now()`. */
  startedAt: number;
  /** The client's address. Never logged. */
  ip: string;
  userId?: string;
}

export const requestContext = new AsyncLocalStorage<RequestContext>();

/** What a client may send as `X-Request-Id`; anything else is replaced. */
export const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;
