import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { VersionMismatchError } from '../errors/problem.js';

/** The strong ETag (RFC 9110, 8.8.3) of a single resource: its version. */
export function etagOf({ version }: { version: number }): string {
  return `"${version}"`;
}

/** What `If-Match` allows: any version (no header, or `*`), or one of those listed. */
export type Precondition = readonly number[] | 'any';

/**
 * Reads the entity tags of a condition. A `W/` that a compressing proxy put before a tag is ignored; a tag that
 * can't be one of ours matches nothing.
 */
function versionsIn(header: string): Precondition {
  if (header.trim() === '*') return 'any';
  return header
    .split(',')
    .map((tag) => /^(?:W\/)?"(\d+)"$/.exec(tag.trim()))
    .map((match) => (match ? Number(match[1]) : -1));
}

/** The `If-Match` condition of the request, for services to check inside their transaction. */
export const IfMatch = createParamDecorator((_: unknown, context: ExecutionContext): Precondition => {
  const header = context.switchToHttp().getRequest<FastifyRequest>().headers['if-match'];
  return header === undefined ? 'any' : versionsIn(header);
});

/** @throws VersionMismatchError where the condition excludes this version */
export function assertMatches(precondition: Precondition, { version }: { version: number }): void {
  if (precondition !== 'any' && !precondition.includes(version)) throw new VersionMismatchError();
}

/** Whether an `If-None-Match` names this tag (with its quotes), or any. A `W/` before a tag is ignored. */
export function namesTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}

/** Sets the `ETag`, and answers 304 without a body where `If-None-Match` names the current one. */
export function replyWithEtag<T>(reply: FastifyReply, version: number, body: T): T | undefined {
  void reply.header('ETag', etagOf({ version }));
  const { method, headers } = reply.request;
  if (!['GET', 'HEAD'].includes(method) || !namesTag(headers['if-none-match'], etagOf({ version }))) return body;
  void reply.status(304);
  return undefined;
}
