import type { FastifyReply } from 'fastify';
import type { Page } from './page.dto.js';

/** How a serialised page with another one behind it ends: text can't hold a quote that isn't escaped. */
const END_OF_PAGE = /"page":\{"limit":\d+,"hasMore":true,"nextCursor":"([\w.-]+)"\}\}$/;
/** More than a page's `page` has. */
const END_LENGTH = 1500;

/** Adds `Link: <…>; rel="next"` (RFC 8288) to a page of a list that isn't the last one. */
export function linkNextPage(reply: FastifyReply, result: unknown): void {
  const cursor = nextCursorIn(result);
  if (cursor !== undefined) void reply.header('Link', `<${nextUrl(reply.request.url, cursor)}>; rel="next"`);
}

/** @param result what a handler gave: a page, or the bytes of a cached answer */
function nextCursorIn(result: unknown): string | undefined {
  if (Buffer.isBuffer(result)) return END_OF_PAGE.exec(result.toString('latin1', result.length - END_LENGTH))?.[1];
  return (result as Partial<Page<unknown>> | undefined)?.page?.nextCursor ?? undefined;
}

/** The same question, for the next page. */
function nextUrl(url: string, cursor: string): string {
  const [path = '', query = ''] = url.split(/\?(.*)/s);
  const parameters = new URLSearchParams(query);
  parameters.set('cursor', cursor);
  return `${path}?${parameters.toString()}`;
}
