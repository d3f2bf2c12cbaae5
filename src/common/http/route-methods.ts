import { Injectable } from '@nestjs/common';
import findMyWay, { type HTTPMethod } from 'find-my-way';
import type { FastifyInstance } from 'fastify';
import { NotFoundError, ProblemError } from '../errors/problem.js';

/** Knows which methods each path has, so that a wrong method is answered 405 with `Allow`, not 404. */
@Injectable()
export class RouteMethods {
  private readonly router = findMyWay();
  private readonly methods = new Set<HTTPMethod>();

  /** Notes every route that is added to the server from now on. */
  observe(server: FastifyInstance): void {
    server.addHook('onRoute', ({ method, url }) => {
      if (url === '*') return; // CORS answers OPTIONS everywhere; that makes no path exist
      for (const each of [method].flat() as HTTPMethod[]) {
        if (this.router.hasRoute(each, url)) continue;
        this.router.on(each, url, () => undefined);
        this.methods.add(each);
      }
    });
  }

  /** @returns the methods of the route that this URL would reach, none where there is no such path */
  allowedAt(url: string): HTTPMethod[] {
    const [path = '/'] = url.split('?');
    return [...this.methods].filter((method) => this.router.find(method, path) !== null).sort();
  }

  /** Why there is no route for a request: 404, or 405 with `Allow`. */
  problemOf({ url, method }: { url: string; method: string }): ProblemError {
    const allowed = this.allowedAt(url);
    // Where the method itself would be allowed, something else was missing: an id, say, as in `/tasks/`.
    if (allowed.length === 0 || allowed.some((each) => each === method)) return new NotFoundError();
    return new ProblemError('METHOD_NOT_ALLOWED', `Allowed here: ${allowed.join(', ')}.`, {
      headers: { Allow: allowed.join(', ') },
    });
  }
}

/** No address takes QUERY. Fastify would complain of its content first. */
export function refuseQueries(server: FastifyInstance, routes: RouteMethods): void {
  server.addHook('onRequest', (request, _reply, done) => {
    done(request.method === 'QUERY' ? routes.problemOf(request) : undefined);
  });
}
