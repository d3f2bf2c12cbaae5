import { Injectable } from '@nestjs/common';
import findMyWay, { type HTTPMethod } from 'find-my-way';
import type { FastifyInstance } from 'fastify';

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
}
