import { setTimeout as delay } from 'node:timers/promises';
import { ApiClient, type Problem } from '../support/api-client.js';
import { startService, type TestService } from '../support/service.js';
import { median } from '../support/quickest.js';
import { waitFor } from '../support/wait-for.js';

const MAX_LAG_MS = 50;
const CLIENTS = 8;
/** Sooner than the answer asks for; late enough for refusals alone to be no overload, also on a busy machine. */
const RETRY_AFTER_MS = 100;
/** Checking so many unknown fields keeps the event loop busy for a tenth of a second or more. */
const DEAR_BODY = JSON.stringify(Object.fromEntries(Array.from({ length: 4900 }, (_, index) => [`field${index}`, 1])));

let service: TestService;
let api: ApiClient;

beforeAll(async () => {
  service = await startService({ MAX_EVENT_LOOP_LAG_MS: String(MAX_LAG_MS), CORS_ORIGINS: 'https://app.example.org' });
  api = new ApiClient(service);
});

/** Runs `work` while clients send one dear request after the other. */
async function underLoad(work: () => Promise<void>): Promise<void> {
  let hammering = true;
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (hammering) {
      const { status } = await api.post('/api/v1/auth/login', DEAR_BODY);
      if (status === 503) await delay(RETRY_AFTER_MS);
    }
  });
  try {
    await work();
  } finally {
    hammering = false;
    await Promise.all(clients);
  }
}

const ask = () => api.get<Problem>('/api/v1/tasks', { Origin: 'https://app.example.org' });

async function shedSoFar(): Promise<number> {
  const metrics = await (await fetch(`${service.metricsUrl}/metrics`)).text();
  return Number(/^http_requests_shed_total (\d+)$/m.exec(metrics)?.[1]);
}

describe('an instance that has more to do than it can', () => {
  it('refuses what is new with 503, answers probes, and recovers', async () => {
    // So little lag is more than a busy machine may cause, too: at the start, above all.
    await waitFor('the start to be over', async () => (await ask()).status === 401);
    const shedBefore = await shedSoFar();

    await underLoad(async () => {
      const { headers, body } = await waitFor('a refusal', async () => {
        const answer = await ask();
        return answer.status === 503 ? answer : undefined;
      });
      expect(body).toMatchObject({ status: 503, code: 'OVERLOADED', instance: '/api/v1/tasks' });
      expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(5);
      expect(headers.get('x-request-id')).toBe(body.requestId);
      expect(headers.get('access-control-allow-origin')).toBe('https://app.example.org');

      for (let round = 0; round < 20; round += 1) {
        expect((await api.get('/health/live')).status).toBe(200);
        expect((await api.get<Problem>('/health/ready')).body.code).toBeUndefined();
      }
    });
    expect(await shedSoFar()).toBeGreaterThan(shedBefore);

    await waitFor('an answer as before', async () => (await ask()).status === 401);
  });

  it('refuses at once, before it reads what was sent', async () => {
    const served: number[] = [];
    const refused: number[] = [];
    await underLoad(async () => {
      await waitFor(
        'some of both',
        async () => {
          const began = performance.now();
          const { status } = await api.post('/api/v1/auth/login', DEAR_BODY);
          (status === 503 ? refused : served).push(performance.now() - began);
          return refused.length >= 20 && served.length >= 3;
        },
        90_000,
      );
    });
    expect(median(refused)).toBeLessThan(median(served) / 2);
  }, 120_000);
});
