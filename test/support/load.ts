import { Agent, type IncomingMessage, request } from 'node:http';

/** What became of the requests of a load. */
export interface LoadReport {
  /** Answered, by status. */
  statuses: Record<number, number>;
  /** Answered with an error: which, and when (by `performance.now()`). */
  problems: Failure[];
  /** Not answered: why, and when. */
  failures: Failure[];
  /** The ids of tasks whose creation was acknowledged. */
  created: string[];
  /** How long it took. */
  seconds: number;
}

export interface Failure {
  method: string;
  reason: string;
  at: number;
}

export interface LoadOptions {
  url: string;
  /** Access tokens of the users who ask, in turn. */
  tokens: readonly string[];
  /** Requests under way at once. */
  clients: number;
  /** Requests per second of all clients together; as fast as they come without it. */
  rate?: number;
  /** One request of so many is a write. */
  writeEvery?: number;
}

export interface Load {
  report: LoadReport;
  /** Ends it once what is under way has been answered. */
  stop(): Promise<LoadReport>;
}

/**
 * Users read their lists and complete tasks. Every third client opens a connection for each request. Nothing is tried
 * again.
 */
export function startLoad({ url, tokens, clients, rate, writeEvery = 2 }: LoadOptions): Load {
  const report: LoadReport = { statuses: {}, problems: [], failures: [], created: [], seconds: 0 };
  const began = performance.now();
  let stopped = false;
  let sent = 0;

  const client = async (number: number): Promise<void> => {
    const agent = number % 3 === 0 ? undefined : new Agent({ keepAlive: true, maxSockets: 1 });
    while (!stopped) {
      const due = rate === undefined ? 0 : began + (sent * 1000) / rate - performance.now();
      const count = sent++;
      if (due > 0) await new Promise((resolve) => setTimeout(resolve, due));
      const [user, round] = [count % tokens.length, Math.floor(count / tokens.length)];
      const method = (user + round) % writeEvery === 0 ? 'POST' : 'GET';
      try {
        const { status, body } = await exchange(url, tokens[user]!, method, agent);
        report.statuses[status] = (report.statuses[status] ?? 0) + 1;
        if (status >= 400) {
          const { detail } = JSON.parse(body) as { detail: string };
          report.problems.push({ method, reason: `${status} ${detail}`, at: performance.now() });
        }
        if (method === 'POST' && status === 201) report.created.push((JSON.parse(body) as { id: string }).id);
      } catch (error) {
        const reason = (error as NodeJS.ErrnoException).code ?? String(error);
        report.failures.push({ method, reason, at: performance.now() });
      }
    }
    agent?.destroy();
  };
  const all = Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  return {
    report,
    async stop() {
      stopped = true;
      await all;
      report.seconds = (performance.now() - began) / 1000;
      return report;
    },
  };
}

const TASK = JSON.stringify({ title: 'Under load', status: 'done' });
const TIMEOUT_MS = 20_000;

function exchange(
  url: string,
  token: string,
  method: string,
  agent?: Agent,
): Promise<{ status: number; body: string }> {
  const write = method === 'POST';
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}/api/v1/tasks${write ? '' : '?limit=5'}`, {
      method,
      agent: agent ?? false,
      timeout: TIMEOUT_MS,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(write ? { 'Content-Type': 'application/json', 'Content-Length': TASK.length } : {}),
      },
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
    outgoing.on('error', reject);
    outgoing.on('response', (response: IncomingMessage) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode!, body }));
    });
    outgoing.end(write ? TASK : undefined);
  });
}
