import type { IncomingHttpHeaders } from 'node:http';
import { Controller, Get, Param, Res, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { SkipThrottle } from '@nestjs/throttler';
import type { FastifyReply } from 'fastify';
import { Public } from '../auth/principal.js';
import { NotFoundError } from '../errors/problem.js';
import { findStaticFile } from './static-files.js';

const IMMUTABLE = 'public, max-age=31536000, immutable';
/**
 * What is at a hashed name has never been anything else, so any time in the past is true; this one, since a file's own
 * depends on when and where an image was built, and replicas of two images have to agree.
 */
const LAST_MODIFIED = new Date('1980-01-01T00:00:00Z');

/**
 * Scripts and styles of the pages. Not `@fastify/static`: both its validators come of the time of a file on the disk.
 *
 * While a new version is rolled out, a page of one may ask a replica of the other for a hash that it doesn't know. It
 * gets the file that the replica has, as a page without its script is of no use; the answer is good for this once and
 * must not be kept under that name, nor does it have the time by which caches would take it for the right one.
 */
@ApiExcludeController()
@Public()
@SkipThrottle({ general: true, strict: true })
@Controller({ path: 'static', version: VERSION_NEUTRAL })
export class StaticFilesController {
  @Get(':name')
  getFile(@Param('name') name: string, @Res({ passthrough: true }) reply: FastifyReply): Buffer | undefined {
    const file = findStaticFile(name);
    if (!file) throw new NotFoundError();
    const immutable = name === file.hashedName;
    void reply.headers({ 'Cache-Control': immutable ? IMMUTABLE : 'no-cache', ETag: file.etag });
    if (immutable) void reply.header('Last-Modified', LAST_MODIFIED.toUTCString());
    if (immutable && isKnown(reply.request.headers)) return void reply.status(304);
    void reply.type(file.contentType);
    return file.content;
  }
}

/** RFC 9110, 13.2.2: the time decides where the request has no tag. */
function isKnown(headers: IncomingHttpHeaders): boolean {
  if (headers['if-none-match'] !== undefined) return false;
  return Date.parse(headers['if-modified-since'] ?? '') >= LAST_MODIFIED.getTime();
}
