import { setTimeout as delay } from 'node:timers/promises';
import { ApiClient } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { environmentFor, newDatabaseName, runCli, startService, TestService } from '../support/service.js';
import { waitFor } from '../support/wait-for.js';

/** What a process in production writes when the database lacks something. */
const NOT_READY = 'not ready: the database lacks';

async function statusOf(service: TestService): Promise<number> {
  return (await new ApiClient(service).get('/health/ready')).status;
}

function notReadyLines(service: TestService): string[] {
  return service.logLines().flatMap(({ msg }) => (String(msg).startsWith(NOT_READY) ? [String(msg)] : []));
}

async function metricsOf({ metricsUrl }: TestService): Promise<string> {
  return await (await fetch(`${metricsUrl}/metrics`)).text();
}

const INDEX_READS = /^mongodb_command_duration_seconds_count\{command="listIndexes",.*\} (\d+)$/gm;

/** How often the process has read the indexes of a collection, whether or not there is such a collection. */
async function countLooks(service: TestService): Promise<number> {
  const counts = (await metricsOf(service)).matchAll(INDEX_READS);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

describe('in production', () => {
  let service: TestService;
  beforeAll(async () => {
    const name = newDatabaseName();
    service = await new TestService(name, { ...environmentFor(name), NODE_ENV: 'production' }).start();
  });

  it('an instance is not ready, and says once what to run, until the database has what it requires', async () => {
    expect(await statusOf(service)).toBe(503);
    const check = await runCli(service, ['migrate', '--check']);
    expect(check.output).toContain('missing index: accounts {"email":1}\n');
    expect(check.code).toBe(3);
    const looks = await countLooks(service);
    await waitFor('it to look again', async () => {
      expect(await statusOf(service)).toBe(503);
      return (await countLooks(service)) > looks;
    });
    expect(notReadyLines(service)).toEqual([
      expect.stringMatching(/index accounts .*; run: node dist\/cli.js migrate$/),
    ]);

    expect(await runCli(service, ['migrate'])).toMatchObject({ code: 0 });
    await waitFor('the instance to be ready', async () => (await statusOf(service)) === 200);
    expect(notReadyLines(service)).toHaveLength(1);
    const { code, output } = await runCli(service, ['migrate', '--check', '--json']);
    // Contract steps wait for an operator's word.
    expect([code, JSON.parse(output)]).toEqual([
      0,
      { missingIndexes: [], pending: [], later: expect.any(Array) as string[] },
    ]);
  }, 120_000);

  it('nothing is looked for any more once it is ready', async () => {
    const looks = await countLooks(service);
    for (const end = Date.now() + 6000; Date.now() < end; await delay(50)) expect(await statusOf(service)).toBe(200);
    expect(await countLooks(service)).toBe(looks);
    expect(await metricsOf(service)).toMatch(/^database_upgrade_missing\{kind="index"\} 0$/m);
  });
});

it('outside production an instance makes what is missing when it starts', async () => {
  const service = await startService();
  expect(await statusOf(service)).toBe(200);
  expect(notReadyLines(service)).toEqual([]);
  await databaseOf(service).collection('accounts').dropIndex('email_1');
  await service.restart();
  expect(await statusOf(service)).toBe(200);
});

it('an option that does not exist is refused', async () => {
  const { code, output } = await runCli({ environment: environmentFor(newDatabaseName()) }, ['migrate', '--contracts']);
  expect(output).toContain("'--contracts'");
  expect(code).toBe(2);
});
