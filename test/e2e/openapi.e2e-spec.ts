import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { Contract } from '../security/support/contract.js';
import { API_KEY_SCOPES } from '../../src/contracts/api-key-scope.js';
import { ApiClient, type ApiResponse, type Problem } from '../support/api-client.js';
import { missingTexts } from '../support/api-texts.js';
import { Api, type Schema } from '../support/openapi.js';
import { type RequestCase, requestCases } from '../support/request-cases.js';
import { startService, type TestService } from '../support/service.js';
import { registerVerifiedUser, type TestUser, withRole } from '../support/users.js';

const RULES = join(dirname(fileURLToPath(import.meta.url)), '../support/spectral.yaml');

const SCOPES: readonly string[] = API_KEY_SCOPES;

/** Sent at once. */
const BATCH = 20;

/** Rules that a schema can't express: by operation and field, why. */
const BEYOND_SCHEMAS = [
  // Common passwords, repetitions, and parts of the account's own data are refused.
  /auth\/(register|password\/reset) password$/,
  // The grammar of addresses is that of RFC 6531 and UTS 46.
  /auth\/\S+ email$/,
  // Names that exist: time zones and languages.
  / (timezone|locale)$/,
  // Points on the curve P-256, and hosts on the public internet.
  /push\/subscriptions keys\.p256dh$/,
  /push\/subscriptions endpoint$/,
  // Signed by the service.
  / cursor$/,
  // Needs another parameter.
  /get \/api\/v1\/tasks sort$/,
];

/** Whether the service takes the request for valid, and each operation in it; what it does with it is another question. */
function acceptsAll({ status, body }: ApiResponse<Problem>): boolean {
  const { results = [] } = (body ?? {}) as { results?: { status: number }[] };
  const isRefused = status === 400 && ['VALIDATION_FAILED', 'MALFORMED_BODY'].includes(body.code);
  return !isRefused && results.every((result) => result.status !== 400);
}

let service: TestService;
let api: Api;
let contract: Contract;
let admin: TestUser;
beforeAll(async () => {
  service = await startService();
  [api, contract, admin] = await Promise.all([
    Api.of(service),
    Contract.of(service),
    registerVerifiedUser(service).then((user) => withRole(service, user, 'admin')),
  ]);
});

/** Spectral's findings, one a line; nothing where there are none. */
async function lint(document: unknown): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'scalable-api-test-openapi-'));
  try {
    const file = join(folder, 'openapi.json');
    writeFileSync(file, JSON.stringify(document));
    const cli = createRequire(import.meta.url).resolve('@stoplight/spectral-cli/dist/index.js');
    const args = [cli, 'lint', file, '--ruleset', RULES, '--format', 'text', '--quiet', '--fail-severity', 'hint'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return (output + errors).trim();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('the OpenAPI document', () => {
  it('keeps all recommended rules', async () => {
    expect(api.document.openapi).toBe('3.1.0');
    expect(await lint(api.document)).toBe('');
  });

  it('would be found out if it broke one', async () => {
    const { '/health/live': probe } = structuredClone(api.document.paths);
    for (const status of ['200', '304']) delete probe?.['get']?.responses[status];
    const broken = { ...api.document, paths: { '/health/live': probe } };
    expect(await lint(broken)).toContain('operation-success-response');
  });

  it('says the same as YAML', async () => {
    const answer = await fetch(`${service.url}/docs/openapi.yaml`);
    expect(answer.headers.get('content-type')).toBe('application/yaml; charset=utf-8');
    expect(parse(await answer.text())).toEqual(api.document);
  });

  it('names the public address, and repeats no response', () => {
    expect(api.document.servers.map(({ url }) => url)).toEqual([service.environment['PUBLIC_URL']]);
    expect(JSON.stringify(api.document).length).toBeLessThan(205_000);
  });

  it('is compressed, and revalidated by a tag of its own for each coding', async () => {
    const tags = new Set<string | null>();
    for (const [accepted, coding] of [
      ['gzip, br', 'br'],
      ['br;q=0, gzip;q=0.5', 'gzip'],
      ['identity', null],
    ] as const) {
      const get = (headers = {}) =>
        fetch(`${service.url}/docs/openapi.json`, { headers: { 'Accept-Encoding': accepted, ...headers } });
      const answer = await get();
      expect([answer.status, answer.headers.get('content-encoding')]).toEqual([200, coding]);
      expect(answer.headers.get('vary')).toMatch(/Accept-Encoding/);
      expect(await answer.json()).toEqual(api.document);
      const tag = answer.headers.get('etag') ?? '';
      tags.add(tag);
      const again = await get({ 'If-None-Match': tag });
      expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, tag, '']);
    }
    expect(tags.size).toBe(3);
    const refused = await fetch(`${service.url}/docs/openapi.json`, { headers: { 'If-Match': '"another"' } });
    expect([refused.status, refused.headers.get('content-type')]).toEqual([
      ...[412, 'application/problem+json; charset=utf-8'],
    ]);
  });

  it('leads to the AsyncAPI document', async () => {
    const { url } = api.document.externalDocs;
    expect(url).toBe(`${service.environment['PUBLIC_URL']}/docs/asyncapi.yaml`);
    const answer = await fetch(service.url + new URL(url).pathname);
    expect(answer.headers.get('content-type')).toBe('application/yaml; charset=utf-8');
    expect(await answer.text()).toBe(readFileSync('docs/asyncapi.yaml', 'utf8'));
  });

  it('has an example for each JSON answer, which fits its schema and is not in the past', () => {
    const faults = contract.operations.flatMap((operation) =>
      Object.entries(operation.responses).flatMap(([status, { content }]) => {
        const media = content?.['application/json'];
        if (!media?.schema || !status.startsWith('2')) return [];
        const name = `${operation.method} ${operation.path}: ${status}`;
        if (media.example === undefined) return [`${name} has no example`];
        return contract.faultsOf(operation, status, media.example).map((fault) => `${name}: ${fault}`);
      }),
    );
    expect(faults).toEqual([]);
    const dates = JSON.stringify(api.document).match(/"20\d\d-\d\d-\d\d[^"]*"/g) ?? [];
    expect(dates.length).toBeGreaterThan(10);
    expect(dates.filter((date) => Date.parse(date.slice(1, -1)) < Date.now())).toEqual([]);
  });

  it('describes each operation in words of its own, each parameter, and each property by an example', () => {
    expect(missingTexts(api)).toEqual([]);
  });

  it('has an example for each property that its schema allows', () => {
    expect(contract.wrongExamples()).toEqual([]);
  });

  it('distinguishes the operations of a bulk by their kind', () => {
    expect(api.document.components.schemas['BulkTasksDto']?.properties?.['operations']?.items?.discriminator).toEqual({
      propertyName: 'op',
      mapping: {
        create: '#/components/schemas/CreateTaskOperationDto',
        update: '#/components/schemas/UpdateTaskOperationDto',
        delete: '#/components/schemas/DeleteTaskOperationDto',
      },
    });
  });

  it('names the scopes with which an API key is accepted, and no key is accepted elsewhere', async () => {
    const keys = new Map<string, ApiClient>();
    const keyWith = async (scopes: readonly string[]): Promise<ApiClient> => {
      const name = scopes.join(' ');
      const known = keys.get(name);
      if (known) return known;
      const { body } = await admin.api.post<{ key: string }>('/api/v1/auth/api-keys', {
        ...{ name, scopes, password: admin.password },
      });
      const client = new ApiClient(service, body.key);
      keys.set(name, client);
      return client;
    };
    const others = (scopes: readonly string[]) =>
      SCOPES.filter((scope) => !scopes.includes(scope) && !scopes.includes(scope.replace(':write', ':read')));
    const wrong: string[] = [];
    for (const { method, path, security = [] } of api.operations) {
      const schemes = security.flatMap((scheme) => Object.keys(scheme));
      expect(Object.keys(api.document.components.securitySchemes)).toEqual(expect.arrayContaining(schemes));
      if (security.some((scheme) => Object.keys(scheme).length === 0) || security.length === 0) continue;
      const listed = security.flatMap(({ apiKey }) => apiKey ?? []);
      // With an unknown parameter, so that nothing is carried out.
      const address = `${path.replace(/\{[^}]+\}/g, '0123456789abcdef01234567')}?surplus=1`;
      const missing = await (
        await keyWith(listed.length > 0 ? others(listed.slice(-1)) : SCOPES)
      ).send(method, address);
      if (missing.status !== 403) wrong.push(`${method} ${path} is ${missing.status} without ${listed.join(' and ')}`);
      if (listed.length === 0) continue;
      const enough = await (await keyWith(listed)).send(method, address);
      if (enough.status !== 400) wrong.push(`${method} ${path} is ${enough.status} with ${listed.join(' and ')}`);
    }
    expect(wrong).toEqual([]);
    expect(keys.size).toBeGreaterThan(5);
  });

  it('documents for each operation a success and its problems with an example each', () => {
    const faults = api.operations.flatMap(({ method, path, responses }) => {
      const statuses = Object.keys(responses).map(Number);
      const name = `${method} ${path}`;
      const problems = Object.entries(responses).filter(([, { content }]) => content?.['application/problem+json']);
      const examples = problems.flatMap(([status, { content }]) =>
        Object.values(content?.['application/problem+json']?.examples ?? {}).map(
          ({ value }) => [status, value] as const,
        ),
      );
      return [
        ...(statuses.some((status) => (status >= 200 && status < 300) || status === 302)
          ? []
          : [`${name}: no success`]),
        ...(path.startsWith('/health') || problems.length >= 3 ? [] : [`${name}: no problems`]),
        ...(examples.length >= problems.length ? [] : [`${name}: a problem without an example`]),
        ...examples
          .filter(([status, value]) => String((value as Problem).status) !== status)
          .map(([status]) => `${name}: an example of another status under ${status}`),
      ];
    });
    expect(faults).toEqual([]);
  });

  it('gives each body and each answer a schema with content', () => {
    const faults = api.operations.flatMap((operation) => {
      const name = `${operation.method} ${operation.path}`;
      const body = api.bodyOf(operation);
      const answers = Object.entries(operation.responses).filter(
        ([status]) => status.startsWith('2') && status !== '204',
      );
      return [
        ...(body && api.fieldsOf(body).length === 0 ? [`${name}: an empty body`] : []),
        ...answers
          .filter(([status]) => status !== '202')
          .filter(([, { content }]) => !content?.['application/json']?.schema)
          .map(([status]) => `${name}: nothing is said of the body of ${status}`),
      ];
    });
    expect(faults).toEqual([]);
  });

  it('has an example for each body that passes as it is, so that trying it out works', async () => {
    const refused: string[] = [];
    for (const operation of api.operations) {
      const schema = api.bodyOf(operation);
      if (!schema) continue;
      const path = operation.path.replace(/\{[^}]+\}/g, '0123456789abcdef01234567');
      const { body } = await admin.api.send<Problem | undefined>(operation.method, path, api.exampleOf(schema));
      if (['VALIDATION_FAILED', 'MALFORMED_BODY'].includes(body?.code ?? '')) {
        refused.push(`${operation.method} ${operation.path}: ${JSON.stringify(body?.errors)}`);
      }
    }
    expect(refused).toEqual([]);
  });

  it('has no default in the body of a change, which leaves out what stays as it is', () => {
    const changes = api.operations.filter(({ method }) => method === 'PATCH');
    expect(changes.length).toBeGreaterThan(3);
    const defaults = changes.flatMap((operation) =>
      api
        .fieldsOf(api.bodyOf(operation) as Schema)
        .filter(({ schema }) => schema.default !== undefined)
        .map(({ path }) => `${operation.path}: ${path}`),
    );
    expect(defaults).toEqual([]);
    // The default of a creation stays.
    expect(api.document.components.schemas['CreateTaskDto']?.properties?.['status']?.default).toBe('todo');
    expect(api.document.components.schemas['UpdateTaskDto']?.properties?.['status']?.default).toBeUndefined();
  });

  it('allows the requests that the service accepts, and no others', async () => {
    const findings: string[] = [];
    const check = async (request: RequestCase): Promise<void> => {
      const { operation, field, query, body, isValid } = request;
      const path = operation.path.replace(/\{[^}]+\}/g, '0123456789abcdef01234567');
      const search = new URLSearchParams(query).toString();
      const content = body === undefined ? undefined : JSON.stringify(body);
      const answer = await admin.api.send<Problem>(operation.method.toUpperCase(), `${path}?${search}`, content);
      const isAccepted = acceptsAll(answer);
      const name = `${operation.method} ${operation.path} ${field}`;
      if (isAccepted !== isValid && !BEYOND_SCHEMAS.some((rule) => rule.test(name))) {
        const verdict = isAccepted ? 'accepted' : `refused (${JSON.stringify(answer.body.errors ?? answer.body)})`;
        findings.push(`${name}: ?${search} ${String(content).slice(0, 200)} ${verdict}`);
      }
      findings.push(...contract.contradictions(operation, answer).map((found) => `${name}: ${found}`));
    };
    const cases = requestCases(contract);
    expect(cases.filter(({ isValid }) => isValid).length).toBeGreaterThan(300);
    expect(cases.filter(({ isValid }) => !isValid).length).toBeGreaterThan(900);
    for (let sent = 0; sent < cases.length; sent += BATCH) {
      await Promise.all(cases.slice(sent, sent + BATCH).map(check));
    }
    expect([...new Set(findings)].slice(0, 60)).toEqual([]);
  }, 240_000);

  it('names the token where a session is optional', () => {
    expect(api.document.paths['/api/v1/auth/email/verify']?.post?.security).toEqual([{}, { bearer: [] }]);
    expect(api.document.paths['/api/v1/auth/login']?.post?.security).toEqual([]);
  });

  it('asks for no query parameter that has a default', () => {
    const required = api.operations.flatMap(({ operationId, parameters }) =>
      parameters
        .filter((parameter) => parameter.in === 'query' && 'required' in parameter && parameter.required === true)
        .map(({ name }) => `${operationId}: ${name}`),
    );
    expect(required).toEqual([]);
  });
});

describe('Swagger UI', () => {
  it('is at /docs, with everything it loads', async () => {
    const client = new ApiClient(service);
    const page = await client.get<string>('/docs');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(page.body).toContain('scalable-api');
    const files = [...page.body.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, file]) => `/${file}`);
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) expect([file, (await client.get(file)).status]).toEqual([file, 200]);
  });
});
