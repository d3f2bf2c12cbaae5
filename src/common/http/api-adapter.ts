import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import { linkNextPage } from '../pagination/next-link.js';
import { evaluateConditions } from './conditional-read.js';

type Response = Parameters<FastifyAdapter['reply']>[0];

/**
 * Nest on Fastify, with what each answer of a handler needs just before it is sent: the evaluation of its request's conditions,
 * and a link to the next page. Not in global interceptors: for those, Nest makes a chain of observables for each request,
 * which takes longer than a simple answer itself.
 */
export class ApiAdapter extends FastifyAdapter {
  /** @throws VersionMismatchError where `If-Match` excludes the current state */
  override reply(response: Response, body: unknown, statusCode?: number): ReturnType<FastifyAdapter['reply']> {
    const reply = response as FastifyReply;
    const result = evaluateConditions(reply, body);
    linkNextPage(reply, result);
    return super.reply(response, result, statusCode);
  }
}
