import { freePort } from '../../local/ports.js';
import { ApiClient } from '../support/api-client.js';
import { RawConnection } from '../support/raw-http.js';
import { startService, TestService } from '../support/service.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { waitFor } from '../support/wait-for.js';

const START_MS = 120_000;

let service: TestService;

beforeAll(async () => {
  service = await startService({ THROTTLE_GENERAL_LIMITS: '7' });
});

it('a variable that nothing reads, and looks like one of ours, is named in the log', () => {
  const warnings = service.logLines().filter(({ msg }) => String(msg).includes('nothing reads it'));
  expect(warnings).toMatchObject([
    {
      level: 'warn',
      msg: 'THROTTLE_GENERAL_LIMITS is set, but nothing reads it: did you mean THROTTLE_GENERAL_LIMIT?',
    },
  ]);
});

/** The status of an answer on the port, null where nobody listens. */
async function statusAt(port: number, path: string): Promise<number | null> {
  const answer = await new ApiClient({ url: `http://127.0.0.1:${port}` }).get(path).catch(() => null);
  return answer?.status ?? null;
}

describe('an instance that starts', () => {
  it('answers nobody until it can serve them, as a proxy would send its requests elsewhere', async () => {
    const port = await freePort();
    let started = false;
    const starting = service.replica({ PORT: String(port) }).finally(() => (started = true));
    const seen = new Set<number | null>();
    while (!started) seen.add(await statusAt(port, '/api/v1/tasks'));
    await starting;
    seen.add(await statusAt(port, '/api/v1/tasks'));
    expect([...seen]).toEqual([null, 401]);
  });

  it('says that it lives, but is not ready, while the database cannot be reached', async () => {
    const [port, uri] = [await freePort(), new URL(service.mongodbUri)];
    const line = await startTcpProxy(Number(uri.port));
    uri.port = String(line.port);
    uri.searchParams.set('directConnection', 'true');
    line.cut();
    const starting = service.replica({ PORT: String(port), MONGODB_URI: uri.href });
    await waitFor('the probes to be answered', async () => (await statusAt(port, '/health/live')) === 200, START_MS);
    expect(await statusAt(port, '/health/ready')).toBe(503);
    // A client that sends nothing doesn't delay the start.
    const silent = await RawConnection.open({ url: `http://127.0.0.1:${port}` });
    line.restore();
    await silent.untilClosed();
    expect(await statusAt((await starting, port), '/health/ready')).toBe(200);
  });

  it('ends by a signal that it handles itself, also while it waits: nothing else ends the first process of a container', async () => {
    const [port, uri] = [await freePort(), new URL(service.mongodbUri)];
    const line = await startTcpProxy(Number(uri.port));
    uri.port = String(line.port);
    line.cut();
    const environment = { ...service.environment, PORT: String(port), MONGODB_URI: uri.href };
    const waiting = new TestService(service.databaseName, environment);
    const start = expect(waiting.start()).rejects.toThrow('the service ended with 143');
    await waitFor('the probes to be answered', async () => (await statusAt(port, '/health/live')) === 200, START_MS);
    waiting.terminate();
    await start;
  });
});
