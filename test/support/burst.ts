import { Agent, request } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { Addressable } from './api-client.js';

/** What came of requests that were sent all at once. */
export interface BurstReport {
  /** How many were answered with each status. */
  statuses: Record<number, number>;
  /** Of the answers with 503: those without a `Retry-After`. */
  withoutRetryAfter: number;
  /** From the first request to the last answer, in milliseconds. */
  ms: number;
}

/** Sends bursts of requests over connections that stay open. */
export class Burster {
  private readonly agents: Agent[];

  /** @param services take turns, each with its share of `maxConnections` */
  constructor(
    private readonly services: readonly Addressable[],
    maxConnections: number,
  ) {
    const maxSockets = Math.floor(maxConnections / services.length);
    this.agents = services.map(() => new Agent({ keepAlive: true, maxSockets, maxFreeSockets: maxSockets }));
  }

  /** @param body sent as JSON */
  async send(
    count: number,
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: unknown,
  ): Promise<BurstReport> {
    const report: BurstReport = { statuses: {}, withoutRetryAfter: 0, ms: 0 };
    const content = body === undefined ? undefined : JSON.stringify(body);
    const began = performance.now();
    const sendOne = async (index: number) => {
      const place = index % this.services.length;
      const outgoing = request(new URL(path, this.services[place]!.url), {
        method,
        agent: this.agents[place]!,
        headers: content ? { ...headers, 'Content-Type': 'application/json' } : headers,
      }).end(content);
      const [response] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage];
      await text(response);
      const status = response.statusCode!;
      report.statuses[status] = (report.statuses[status] ?? 0) + 1;
      if (status === 503 && !response.headers['retry-after']) report.withoutRetryAfter++;
    };
    await Promise.all(Array.from({ length: count }, (_, index) => sendOne(index)));
    report.ms = performance.now() - began;
    return report;
  }

  close(): void {
    for (const agent of this.agents) agent.destroy();
  }
}
