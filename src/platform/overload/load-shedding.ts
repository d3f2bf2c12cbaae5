import underPressure from '@fastify/under-pressure';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { Counter } from 'prom-client';
import { OverloadedError } from './overloaded.error.js';

/** The lag that counts is the mean of such an interval: a single long step is no overload. */
const SAMPLE_INTERVAL_MS = 500;

declare module 'fastify' {
  interface FastifyContextConfig {
    servedUnderPressure?: boolean;
  }
}

const shed = new Counter({
  name: 'http_requests_shed_total',
  help: 'Requests answered 503 OVERLOADED before anything was done for them: the event loop lagged, or too many writes waited',
});

/** Counts a request that is refused before anything is done for it. @returns what to throw */
export function shedRequest(): OverloadedError {
  shed.inc();
  return new OverloadedError();
}

/** The route is answered however busy the process is; for probes, as a restart would make an overload worse. */
export const ServedUnderPressure = () => RouteConfig({ servedUnderPressure: true });

/**
 * Refuses requests while the event loop lags, before anything is done for them, so that those already begun come to an
 * end. A request that would time out at its client anyway only makes the others late.
 *
 * @param maxLagMs mean lag over half a second, in milliseconds
 */
export async function shedLoad(server: FastifyInstance, maxLagMs: number): Promise<void> {
  const lastInterval = measureIntervals();
  await server.register(underPressure, {
    maxEventLoopDelay: maxLagMs,
    sampleInterval: SAMPLE_INTERVAL_MS,
    pressureHandler: async ({ routeOptions }, _reply, _type, lagMs) => {
      if (routeOptions.config.servedUnderPressure) return;
      // Infinite where one step filled the interval, so that there was nothing to take a mean of: then its length counts.
      if (lagMs === Infinity && lastInterval() <= maxLagMs) return;
      throw shedRequest();
    },
  });
}

/** @returns how long the last interval of `SAMPLE_INTERVAL_MS` really took, in milliseconds */
function measureIntervals(): () => number {
  let began = performance.now();
  let took = 0;
  setInterval(() => {
    const now = performance.now();
    [took, began] = [now - began, now];
  }, SAMPLE_INTERVAL_MS).unref();
  return () => took;
}
