import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { ApiClient } from '../support/api-client.js';
import { startStandIn } from '../support/http-stand-in.js';
import { startOwnRedis } from '../support/redis.js';
import { startService, type TestService } from '../support/service.js';
import { createTask } from '../support/tasks.js';
import { registerUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';
import { fieldNames, FOLDER, problemsOf, template } from './support/log-mapping.js';
import { readYaml } from './support/rules.js';

interface SavedObject {
  id: string;
  type: string;
  attributes: { title: string; columns?: string[]; kibanaSavedObjectMeta?: { searchSourceJSON: string } };
  references: { id: string }[];
}
interface Filebeat {
  'filebeat.inputs': { paths: string[]; parsers: object[]; processors: object[] }[];
  'output.elasticsearch': { index: string };
  'setup.template.enabled': boolean;
}

const objects = readFileSync(`${FOLDER}/saved-objects.ndjson`, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as SavedObject);
/** A busy machine takes its time. */
const OUTAGE_MS = 60_000;
const index = template.index_patterns[0]!;

/** Requests that succeed and fail, mails, a worker that dies, and a Redis that goes away. */
async function linesOfALife(): Promise<Record<string, unknown>[]> {
  const redis = await startOwnRedis();
  const service: TestService = await startService({
    WORKERS: '2',
    REDIS_URL: redis.url,
    LOG_LEVEL: 'trace',
    SMTP_URL: 'smtp://127.0.0.1:1',
  });
  const { api } = await registerUser(service);
  await createTask(api, { status: 'done' });
  await new ApiClient(service).get('/nowhere');
  await waitFor('a mail to fail', () => service.logs().includes('failed and will be tried again'));
  redis.kill();
  const worker = service.logLines().find(({ msg }) => msg === 'worker is ready')!;
  process.kill(worker['pid'] as number, 'SIGKILL');
  await waitFor('the worker to be missed', () => service.logs().includes('worker died'), OUTAGE_MS);
  await waitFor('Redis to be missed', () => service.logs().includes('not reachable'), OUTAGE_MS);
  return service.logLines();
}

it('every field of every line of the log is mapped, as what it is', async () => {
  const lines = await linesOfALife();
  expect(lines.length).toBeGreaterThan(20);
  expect([...new Set(lines.flatMap((line) => problemsOf(line)))]).toEqual([]);
  const seen = new Set(lines.flatMap((line) => Object.keys(line)));
  for (const name of [
    'worker',
    'context',
    'err',
    'requestId',
    'userId',
    'route',
    'status',
    'ms',
    'attempts',
    'signal',
  ]) {
    expect(seen).toContain(name);
  }
}, 240_000);

it('a line that says something else is found out', () => {
  expect(problemsOf({ status: '200', ms: 'fast', err: 'oops', surprise: 1, time: 'now' })).toHaveLength(5);
});

it('Filebeat writes where the template applies, and leaves the types to it', () => {
  const { 'filebeat.inputs': inputs, ...rest } = readYaml<Filebeat>(`${FOLDER}/filebeat.yaml`);
  expect(rest['output.elasticsearch'].index).toBe(index);
  expect(rest['setup.template.enabled']).toBe(false);
  expect(inputs[0]!.parsers.map((parser) => Object.keys(parser)[0])).toEqual(['container', 'ndjson']);
  // What isn't the service's is dropped by the name that every line of its has.
  expect(inputs[0]!.processors[0]).toEqual({ drop_event: { when: { not: { equals: { service: 'scalable-api' } } } } });
  expect(template.template.mappings.dynamic).toBe(false);
});

it('the saved searches look in that index, for fields that there are', () => {
  const [view, ...searches] = objects;
  expect([view!.type, view!.attributes.title]).toEqual(['index-pattern', index]);
  const fields = fieldNames();
  for (const { type, attributes, references } of searches) {
    expect(type).toBe('search');
    expect(references.map(({ id }) => id)).toEqual([view!.id]);
    const { query } = JSON.parse(attributes.kibanaSavedObjectMeta!.searchSourceJSON) as { query: { query: string } };
    const asked = [...query.query.replace(/"[^"]*"/g, '').matchAll(/([\w.@]+) ?(?::|>=|>)/g)].map(([, field]) => field);
    expect(asked.length).toBeGreaterThan(0);
    for (const field of [...asked, ...attributes.columns!]) expect(fields).toContain(field);
  }
  const named = new Set(objects.map(({ attributes }) => attributes.title));
  expect(named.size).toBe(objects.length);
});

it('set-up.sh gives Elasticsearch the template and Kibana the searches, and fails where one is refused', async () => {
  const server = await startStandIn(({ path }) => ({ status: path.startsWith('/refused') ? 400 : 200, body: '{}' }));
  const setUp = async (kibana: string) => {
    const child = spawn('sh', [`${FOLDER}/set-up.sh`, FOLDER, server.url, kibana], { stdio: 'ignore' });
    const [code] = (await once(child, 'exit')) as [number];
    return code;
  };
  expect(await setUp(server.url)).toBe(0);
  const [types, searches] = server.received;
  expect([types!.method, types!.path]).toEqual(['PUT', '/_index_template/scalable-api-logs']);
  expect(JSON.parse(types!.body)).toEqual(template);
  expect([searches!.method, searches!.path]).toEqual(['POST', '/api/saved_objects/_import?overwrite=true']);
  expect(searches!.headers['kbn-xsrf']).toBe('true');
  expect(searches!.body).toContain(readFileSync(`${FOLDER}/saved-objects.ndjson`, 'utf8'));
  expect(await setUp(`${server.url}/refused`)).not.toBe(0);
  await server.close();
}, 60_000);
