import { Agent, request } from 'node:http';

const CONNECTIONS = 16;

/** A client that keeps its connections. */
export class Load {
  #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  #url;

  constructor(url) {
    this.#url = url;
  }

  /** @returns status, what the cache said, and how long it took, in milliseconds */
  send(method, path, token, body) {
    const began = performance.now();
    const { hostname, port } = this.#url;
    const content = body && JSON.stringify(body);
    const headers = {
      Authorization: `Bearer ${token}`,
      ...(content && { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(content) }),
    };
    return new Promise((resolve, reject) => {
      const sent = request({ hostname, port, method, path, headers, agent: this.#agent }, (response) => {
        response
          .on('data', () => undefined)
          .on('end', () => {
            const cache = response.headers['x-cache'];
            resolve({
              status: response.statusCode,
              cache,
              took: performance.now() - began,
              endedAt: performance.now(),
            });
          });
      });
      sent.on('error', reject).end(content);
    });
  }

  /** As fast as the connections allow. @param work is given the index; @returns what it gave, and the seconds it took */
  async closedLoop(count, work) {
    const results = new Array(count);
    const began = performance.now();
    let next = 0;
    const lane = async () => {
      while (next < count) {
        const index = next++;
        results[index] = await work(index);
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, lane));
    return { results, seconds: (performance.now() - began) / 1000 };
  }

  stop() {
    this.#agent.destroy();
  }
}

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
}
