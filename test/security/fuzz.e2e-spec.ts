import fc from 'fast-check';
import { ApiClient, type ApiResponse, type PageOf } from '../support/api-client.js';
import { startService, type TestService } from '../support/service.js';
import type { TaskBody } from '../support/tasks.js';
import { newRegistration, registerUser, type Tokens } from '../support/users.js';
import { type DrawnRequest, RequestArbitraries } from './support/arbitraries.js';
import { Contract } from './support/contract.js';
import { Population } from './support/population.js';
import { anyScript, mailAddress } from './support/texts.js';

/**
 * Requests drawn from the OpenAPI document (fast-check). `FUZZ_REQUESTS` says how many, `FUZZ_SEED` which: the same ones
 * each time in the test command, so that a change is what makes it fail; others each time in `npm run test:fuzz`. The
 * seed of a run that failed is in its message.
 */
const REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? 3000);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20230703);
/** Sent at once. */
const BATCH = 20;
const REQUEST_PATIENCE_MS = 60;
const SHOWN = 25;
/** Answers 200 whatever its operations are, and says of each what became of it. */
const BULK = '/api/v1/tasks/bulk';
const LONE_SURROGATES = /\p{Surrogate}/gu;

let service: TestService;
let contract: Contract;
let population: Population;
beforeAll(async () => {
  service = await startService({
    THROTTLE_GENERAL_LIMIT: '1000000000',
    THROTTLE_STRICT_LIMIT: '1000000000',
    LOGIN_ADDRESS_FAILURES: '1000000000',
    MAX_EVENT_LOOP_LAG_MS: '60000',
  });
  contract = await Contract.of(service);
  population = await Population.of(service);
}, 300_000);

/** Contradictions by what they are about, each with the first request that showed it. */
const findings = new Map<string, string>();
/** Actors that may have lost their account or their session. */
const refused = new Set<number>();
const answered = new Map<number, number>();

async function send({ operation, actor, path, query, headers, body }: DrawnRequest): Promise<ApiResponse> {
  const filled = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = path[name] as number | string;
    return typeof value === 'number' ? population.idAt(value) : encodeURIComponent(value);
  });
  const search = query
    .map((pair) => pair.map((text) => encodeURIComponent(text.replace(LONE_SURROGATES, '\ufffd'))).join('='))
    .join('&');
  const api = population.actors[actor]?.api as ApiClient;
  const content =
    (typeof body === 'string' && body !== '') || Buffer.isBuffer(body) || body === undefined
      ? body
      : JSON.stringify(body);
  return await api.send(operation.method.toUpperCase(), `${filled}${search && `?${search}`}`, content, headers);
}

/** What is sent as text is JSON too, or is meant not to be; a byte order mark may be ignored (RFC 8259, 8.1). */
function parsed(body: unknown): unknown {
  try {
    if (Buffer.isBuffer(body)) return parsed(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return typeof body === 'string' ? (JSON.parse(body.replace(/^\ufeff/, '')) as unknown) : body;
  } catch {
    return undefined;
  }
}

/** As texts are stored: the document's lengths and patterns are those of trimmed text in NFC. */
function normalised(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body), (_, value: unknown) =>
    typeof value === 'string' ? value.normalize('NFC').trim() : value,
  ) as unknown;
}

/** What was taken for right: the body, or those of bulk's operations that were carried out. */
function accepted({ path }: DrawnRequest['operation'], body: unknown, answer: ApiResponse): unknown[] {
  if (answer.status >= 300) return [];
  if (path !== BULK) return [body];
  const { results } = answer.body as { results: { status: number }[] };
  const { operations } = body as { operations: unknown[] };
  const done = operations.filter((_, index) => Number(results[index]?.status) < 300);
  return done.map((operation) => ({ operations: [operation] }));
}

async function check(request: DrawnRequest): Promise<void> {
  const { operation, body } = request;
  let problems: string[];
  try {
    const answer = await send(request);
    answered.set(answer.status, (answered.get(answer.status) ?? 0) + 1);
    population.learn(answer);
    if (answer.status === 401) refused.add(request.actor);
    problems = contract.contradictions(operation, answer);
    const allows = (each: unknown) =>
      contract.allowsBody(operation, each) || contract.allowsBody(operation, normalised(each));
    if (!accepted(operation, parsed(body), answer).every(allows)) {
      problems.push(`${answer.status} to a body that the document doesn't allow`);
    }
  } catch (error) {
    problems = [`no answer: ${String(error)} ${String((error as Error).cause)}`];
  }
  const { method, path } = operation;
  for (const problem of problems) {
    const key = `${method.toUpperCase()} ${path}: ${problem.replaceAll(/"[^"]*"/g, '…')}`;
    if (!findings.has(key))
      findings.set(key, `${problem}\n${JSON.stringify({ ...request, operation: undefined }).slice(0, 1500)}`);
  }
}

function report(): string {
  const shown = [...findings].slice(0, SHOWN).map(([key, first]) => `${key}\n  first: ${first}`);
  return [`FUZZ_SEED=${SEED} repeats this run.`, ...shown].join('\n\n');
}

describe('any request', () => {
  it(
    'is answered as the OpenAPI document says, and leaves the process whole',
    async () => {
      const known = {
        email: population.users.map(({ email }) => email),
        password: population.users.map(({ password }) => password),
        currentPassword: population.users.map(({ password }) => password),
        refreshToken: population.users.map(({ tokens }) => tokens.refreshToken),
        q: ['\0', 'u\0', '.*', '[', 'ada', 'u'],
        code: ['000000', 'éééééé', 'AAAA-AAAA-AAAA-AAAA'],
        locale: ['en', 'de-AT', 'x-private', 'zh-Hant-TW'],
      };
      const requests = new RequestArbitraries(contract, known, population.actors.length).any();
      const batches = fc.array(requests, { minLength: BATCH, maxLength: BATCH, size: 'max' });
      const property = fc.asyncProperty(batches, async (batch) => {
        await Promise.all(batch.map(check));
        await population.renew(refused);
        refused.clear();
      });
      await fc.assert(property, { seed: SEED, numRuns: Math.ceil(REQUESTS / BATCH), endOnFailure: true });

      if (findings.size > 0) throw new Error(report());
      const loud = service.logLines().filter(({ level }) => level === 'error' || level === 'fatal');
      expect(loud).toEqual([]);
      expect(service.logs()).not.toMatch(/unhandled|uncaught/i);
      expect((await new ApiClient(service).get('/health')).status).toBe(200);
      // A run that only ever fails to log in would prove nothing.
      for (const status of [200, 201, 204, 304, 400, 401, 403, 404]) expect(answered.get(status)).toBeGreaterThan(0);
    },
    60_000 + REQUESTS * REQUEST_PATIENCE_MS,
  );
});

describe('a text of any script', () => {
  it('is stored in one form, and found by its own words', async () => {
    // Not of the population: requests above may have changed a password or deleted an account.
    const { api } = await registerUser(service);
    const titles = fc.sample(anyScript, { seed: SEED, numRuns: 100 });
    const operations = titles.map((title) => ({ op: 'create', task: { title } }));
    const { body } = await api.post<{ results: { status: number; task?: TaskBody }[] }>(BULK, { operations });
    const lost: string[] = [];
    for (const [index, { status, task }] of body.results.entries()) {
      const title = (titles[index] as string).normalize('NFC').trim();
      if (!task) {
        expect([status, title]).toEqual([400, expect.not.stringMatching(/[\p{L}\p{N}]/u)]);
        continue;
      }
      expect(task.title).toBe(title);
      if (!/[\p{L}\p{N}]/u.test(title)) continue;
      const query = `q=${encodeURIComponent(title)}&limit=100&sort=-relevance`;
      const found = await api.get<PageOf<TaskBody>>(`/api/v1/tasks?${query}`);
      if (!found.body.data.some(({ id }) => id === task.id)) lost.push(title);
    }
    expect(lost).toEqual([]);
  });
});

describe('a mailbox', () => {
  it('has one account, in whatever spellings its address is sent', async () => {
    const anonymous = new ApiClient(service);
    const drawn = fc.sample(mailAddress, { seed: SEED, numRuns: 60 });
    const spellings = drawn.map((text) => text.replace('@', `${SEED}@`));
    const stored: string[] = [];
    const answers = await Promise.all(
      spellings.map((email) => anonymous.post<Tokens>('/api/v1/auth/register', newRegistration({ email }))),
    );
    for (const { status, body } of answers) {
      expect([201, 400, 409]).toContain(status);
      if (status === 201) stored.push(body.user.email);
    }
    expect(stored.length).toBeGreaterThan(2);
    expect(new Set(stored).size).toBe(stored.length);
    for (const email of stored) expect(email).toMatch(/^(ada|zoë|用户)\d+@(example\.org|xn--bcher-kva\.example)$/);
  });
});
