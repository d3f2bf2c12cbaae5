import { ApiClient, type ApiResponse, type PageOf, type Problem, sendRaw } from '../support/api-client.js';
import { Api, type Operation, type Schema } from '../support/openapi.js';
import { startService, type TestService } from '../support/service.js';
import { createTask, TASKS } from '../support/tasks.js';
import { registerUser, registerVerifiedUser, type TestUser, withRole } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

/**
 * Every route of the published document gets every kind of bad input: a route that is added is covered without a
 * line here. Each test collects what was answered wrongly, so one run shows all of it.
 */
const UNKNOWN_ID = '0123456789abcdef01234567';
const PARALLEL = 6;
const TOO_LARGE = 1024 * 1024 + 1;
/** Judges each element of its list by itself, and answers 200 whatever they are (its own tests hold it to that). */
const BULK = '/api/v1/tasks/bulk';

let service: TestService;
let api: Api;
/** An administrator: what is refused is refused for what was sent, not for who sent it. */
let admin: TestUser;

beforeAll(async () => {
  service = await startService();
  [api, admin] = await Promise.all([Api.of(service), newAdmin()]);
});

/** An administrator with a verified address, who has typed no wrong password yet. */
async function newAdmin(): Promise<TestUser> {
  return await withRole(service, await registerVerifiedUser(service), 'admin');
}

/** One request that must be refused. */
interface Case {
  /** As the report shows it. */
  what: string;
  operation: Operation;
  query?: string;
  body?: unknown;
  headers?: Record<string, string>;
  path?: string;
  expected: { status: number; codes: string[]; field?: string };
}

const INVALID = (field?: string): Case['expected'] => ({
  status: 400,
  codes: ['VALIDATION_FAILED'],
  ...(field === undefined ? {} : { field }),
});
const NOT_EVEN_JSON: Case['expected'] = { status: 400, codes: ['MALFORMED_BODY'] };
const REFUSED: Case['expected'] = { status: 400, codes: ['MALFORMED_BODY', 'VALIDATION_FAILED'] };

function pathOf({ path }: Operation, id = UNKNOWN_ID): string {
  return path.replace(/\{[^}]+\}/g, id);
}

/** What is wrong with the answer; null where nothing is. */
function faultOf({ status, headers, body }: ApiResponse<Problem | undefined>, { expected }: Case): string | null {
  const told = `${status} ${body?.code ?? ''} ${JSON.stringify(body?.errors?.map(({ field }) => field) ?? [])}`;
  if (status !== expected.status || !expected.codes.includes(body?.code ?? '')) return told;
  if (!headers.get('content-type')?.startsWith('application/problem+json'))
    return `${told} as ${headers.get('content-type')}`;
  const { field } = expected;
  if (field === undefined) return null;
  const isNamed = body?.errors?.some((error) => error.field === field || error.field.startsWith(`${field}.`));
  return isNamed ? null : `${told} without ${field}`;
}

async function faultsOf(cases: Case[]): Promise<string[]> {
  expect(cases.length).toBeGreaterThan(0);
  const faults: string[] = [];
  const queue = [...cases];
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { operation, what, query, body, headers } = next;
      const target = (next.path ?? pathOf(operation)) + (query === undefined ? '' : `?${query}`);
      const answer = await admin.api.send<Problem | undefined>(operation.method, target, body, headers);
      const fault = faultOf(answer, next);
      if (fault !== null) faults.push(`${operation.method} ${operation.path}, ${what}: ${fault}`);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  return faults;
}

const MUTATIONS = ['POST', 'PUT', 'PATCH', 'DELETE'];

function withBody(): { operation: Operation; schema: Schema; example: Record<string, unknown> }[] {
  return api.operations.flatMap((operation) => {
    const schema = api.bodyOf(operation);
    return schema ? [{ operation, schema, example: api.exampleOf(schema) as Record<string, unknown> }] : [];
  });
}

/** A copy in which the field at `path` (`channels.email`) is `value`. */
function replaced(body: Record<string, unknown>, path: string, value: unknown): Record<string, unknown> {
  const [first = '', ...rest] = path.split('.');
  const inner = body[first];
  const nested = typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {};
  return { ...body, [first]: rest.length > 0 ? replaced(nested, rest.join('.'), value) : value };
}

const SAMPLES: Record<string, unknown[]> = {
  string: ['text'],
  number: [42, -1, 1e308],
  boolean: [true],
  array: [[], [[]], [{}]],
  object: [{}, { $gt: '' }, { $ne: null }, { toString: 1 }],
  null: [null],
};

/** Values of every type but the field's own. */
function wrongValues({ type, enum: allowed }: Schema): unknown[] {
  const own = [type ?? 'object'].flat().map((each) => (each === 'integer' ? 'number' : each));
  const others = Object.entries(SAMPLES).flatMap(([kind, values]) => (own.includes(kind) ? [] : values));
  return allowed ? [...others, 'none of these', ''] : others;
}

describe('a body', () => {
  it('with a field of the wrong type, or an operator of the database, is refused, naming the field', async () => {
    const cases = withBody().flatMap(({ operation, schema, example }) =>
      api.fieldsOf(schema).flatMap((field) =>
        wrongValues(field.schema)
          .filter((value) => value !== null || field.required)
          .map((value) => ({
            operation,
            what: `${field.path} = ${JSON.stringify(value)}`,
            body: replaced(example, field.path, value),
            expected: INVALID(field.path),
          })),
      ),
    );
    expect(await faultsOf(cases)).toEqual([]);
  });

  it('with a list that holds the wrong things is refused, naming the field', async () => {
    const refusing = withBody().filter(({ operation }) => operation.path !== BULK);
    const cases = refusing.flatMap(({ operation, schema, example }) =>
      api
        .fieldsOf(schema)
        .filter((field) => [field.schema.type].flat().includes('array'))
        .flatMap(({ path, schema: { items = {} } }) =>
          wrongValues(api.resolve(items)).map((value) => ({
            operation,
            what: `${path} = ${JSON.stringify([value])}`,
            body: replaced(example, path, [value]),
            expected: INVALID(path),
          })),
        ),
    );
    expect(await faultsOf(cases)).toEqual([]);
  });

  it('without a field that is required is refused, naming the field', async () => {
    const cases = withBody().flatMap(({ operation, schema, example }) =>
      api
        .fieldsOf(schema)
        .filter(({ required }) => required)
        .map(({ path }) => ({
          operation,
          what: `without ${path}`,
          body: replaced(example, path, undefined),
          expected: INVALID(path),
        })),
    );
    expect(await faultsOf(cases)).toEqual([]);
  });

  it('with an unknown field is refused, naming it; at routes that take no body too', async () => {
    const cases = api.operations
      .filter(({ method }) => MUTATIONS.includes(method))
      .flatMap((operation) => {
        const schema = api.bodyOf(operation);
        const example = schema ? (api.exampleOf(schema) as object) : {};
        return ['surprise', '$where', '_id', 'user', 'hasOwnProperty', 'toString'].map((field) => ({
          operation,
          what: field,
          body: { ...example, [field]: 1 },
          expected: INVALID(field),
        }));
      });
    expect(await faultsOf(cases)).toEqual([]);
  });

  it.each(['{"__proto__": {"admin": true}}', '{"constructor": {"prototype": {"admin": true}}}', '{"constructor": 1}'])(
    'that reaches for the prototype is refused: %s',
    async (body) => {
      const mutations = api.operations.filter(({ method }) => MUTATIONS.includes(method));
      expect(
        await faultsOf(mutations.map((operation) => ({ operation, what: body, body, expected: REFUSED }))),
      ).toEqual([]);
    },
  );

  it('that is no JSON object is refused', async () => {
    const cases = withBody().flatMap(({ operation, schema }) =>
      ['[]', '[{}]', '"text"', '42', 'true', 'null', ...((schema.required ?? []).length > 0 ? [''] : [])].map(
        (body) => ({
          operation,
          what: `body ${body}`,
          body,
          expected: REFUSED,
        }),
      ),
    );
    expect(await faultsOf(cases)).toEqual([]);
  });

  it('that is broken JSON is 400 MALFORMED_BODY', async () => {
    const broken = [
      '{',
      '{"a":',
      "{'a': 1}",
      '{"a": 1,}',
      'a=1',
      '{"a": undefined}',
      '{"a": 01}',
      '{} {}',
      '\u0000',
      '{"a": "\n"}',
    ];
    const cases = withBody().flatMap(({ operation }) =>
      broken.map((body) => ({ operation, what: JSON.stringify(body), body, expected: NOT_EVEN_JSON })),
    );
    expect(await faultsOf(cases)).toEqual([]);
  });

  it('of another content type is 415', async () => {
    const types = [
      'text/plain',
      'application/xml',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'json',
      '*/*',
    ];
    const cases = withBody().flatMap(({ operation, example }) =>
      types.map((type) => ({
        operation,
        what: type,
        body: example,
        headers: { 'Content-Type': type },
        expected: { status: 415, codes: ['UNSUPPORTED_MEDIA_TYPE'] },
      })),
    );
    expect(await faultsOf(cases)).toEqual([]);
  });

  it('that is not UTF-8 is 400 MALFORMED_BODY', async () => {
    const notUtf8 = [
      [0xff],
      [0xc3, 0x28],
      [0xc0, 0xaf], // longer than need be
      [0xed, 0xa0, 0x80], // half a surrogate pair
      [0xf0, 0x9f, 0x98], // cut off
    ].map((bytes) => Buffer.concat([Buffer.from('{"name":"'), Buffer.from(bytes), Buffer.from('"}')]));
    const cases = withBody().flatMap(({ operation, example }) =>
      [...notUtf8, Buffer.from(JSON.stringify(example), 'utf16le')].map((body) => ({
        operation,
        what: body.toString('hex').slice(0, 40),
        body,
        expected: NOT_EVEN_JSON,
      })),
    );
    expect(await faultsOf(cases)).toEqual([]);
  });

  it('in another charset than UTF-8 is 415', async () => {
    const types = ['iso-8859-1', 'utf-16', '"utf-16le"', 'utf-7', 'us-ascii', 'utf-8; charset=iso-8859-1'];
    const cases = withBody().flatMap(({ operation, example }) =>
      types.map((charset) => ({
        operation,
        what: charset,
        body: example,
        headers: { 'Content-Type': `application/json; Charset=${charset}` },
        expected: { status: 415, codes: ['UNSUPPORTED_MEDIA_TYPE'] },
      })),
    );
    expect(await faultsOf(cases)).toEqual([]);
    const user = await registerUser(service);
    for (const charset of ['utf-8', 'UTF-8', '"utf-8"', 'utf8']) {
      const headers = { 'Content-Type': `application/json;charset=${charset}` };
      expect((await user.api.post(TASKS, { title: 'Größe' }, headers)).status).toBe(201);
    }
  });

  it('of one byte more than a mebibyte is 413', async () => {
    const body = `"${'x'.repeat(TOO_LARGE - 2)}"`;
    const expected = { status: 413, codes: ['PAYLOAD_TOO_LARGE'] };
    const cases = withBody().map(({ operation }) => ({ operation, what: 'a large body', body, expected }));
    expect(await faultsOf(cases)).toEqual([]);
  });

  it('of a mebibyte exactly is read', async () => {
    const [shell, filler] = ['{"surprise":""}', 'x'];
    const body = shell.replace('""', `"${filler.repeat(1024 * 1024 - shell.length)}"`);
    const cases = withBody().map(({ operation }) => ({
      operation,
      what: 'a large body',
      body,
      expected: INVALID('surprise'),
    }));
    expect(await faultsOf(cases)).toEqual([]);
  });

  it.each([100, 100_000])(
    'nested %d deep is refused, naming the field',
    async (depth) => {
      const deep = '['.repeat(depth) + ']'.repeat(depth);
      const deeper = '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
      const cases = withBody().flatMap(({ operation, schema, example }) =>
        [deep, deeper].flatMap((value) => {
          const unknown = JSON.stringify({ ...example, surprise: 0 }).replace('"surprise":0', `"surprise":${value}`);
          const [field] = api.fieldsOf(schema);
          const known = JSON.stringify(replaced(example, field?.path ?? '', 0)).replace(/:0\b/, `:${value}`);
          return [
            { operation, what: 'an unknown field, nested', body: unknown, expected: REFUSED },
            { operation, what: `${field?.path}, nested`, body: known, expected: REFUSED },
          ];
        }),
      );
      expect(await faultsOf(cases)).toEqual([]);
    },
    120_000,
  );

  it('with numbers out of range is refused, naming the field', async () => {
    const cases = withBody().flatMap(({ operation, schema, example }) =>
      api
        .fieldsOf(schema)
        .filter((field) => !field.path.includes('.'))
        .flatMap(({ path }) =>
          ['1e400', '-1e400', '99999999999999999999999999', '0.1e-400'].map((number) => ({
            operation,
            what: `${path} = ${number}`,
            body: JSON.stringify(replaced(example, path, '%')).replace('"%"', number),
            expected: INVALID(path),
          })),
        ),
    );
    expect(await faultsOf(cases)).toEqual([]);
  });

  it('with characters that no text should hold never fails on our side', async () => {
    const strange = ['\u0000', 'a\u0000b', '\ud800', '\udfff\ud800', '\uffff', '\u202e', '\u{1f468}\u200d\u{1f469}'];
    const failures: string[] = [];
    for (const { operation, schema, example } of withBody()) {
      const fields = api.fieldsOf(schema).filter(({ schema: { type } }) => [type].flat().includes('string'));
      for (const { path } of fields) {
        for (const text of strange) {
          const body = replaced(example, path, text);
          const { status } = await admin.api.send(operation.method, pathOf(operation), body);
          if (status >= 500)
            failures.push(`${operation.method} ${operation.path}, ${path} = ${JSON.stringify(text)}: ${status}`);
        }
      }
    }
    expect(failures).toEqual([]);
  });
});

/** What any text that people read must not be, by what is wrong with it. */
const UNREADABLE = {
  'a control character': 'a\u0001b',
  'a line break': 'a\nb',
  'a separator of lines': 'a\u2028b',
  'an override of the direction': 'a\u202eb',
  'an isolate of the direction': 'a\u2066b',
  'spaces alone': ' \u00a0\u3000 ',
  'zero-width characters alone': '\u200b\u200d\ufeff\u2060',
  'fillers alone': '\u3164\u115f\uffa0',
  'soft hyphens and variation selectors alone': '\u00ad\ufe0f\u{e0100}',
  'an empty pattern of Braille alone': '\u2800',
  'characters for tags alone': '\u{e0041}',
};

describe('a text that people read', () => {
  const LINES = /^(name|title|tags|filename)$/;
  const MULTILINE = /^(description|reason)$/;

  it('in one line is refused where it has control characters or nothing to see, naming the field', async () => {
    const cases = withBody().flatMap(({ operation, schema, example }) =>
      api
        .fieldsOf(schema)
        .filter(({ path }) => LINES.test(path))
        .flatMap(({ path }) =>
          Object.entries(UNREADABLE).map(([what, text]) => ({
            operation,
            what: `${path}: ${what}`,
            body: replaced(example, path, path === 'tags' ? [text] : text),
            expected: INVALID(path),
          })),
        ),
    );
    expect(new Set(cases.map(({ what }) => what.split(':')[0]))).toEqual(
      new Set(['name', 'title', 'tags', 'filename']),
    );
    expect(await faultsOf(cases)).toEqual([]);
  });

  it('in several lines is refused where it has other control characters, naming the field', async () => {
    const texts = ['a\u0000b', 'a\u0007b', 'a\u009fb', 'a\u202db'];
    const cases = withBody().flatMap(({ operation, schema, example }) =>
      api
        .fieldsOf(schema)
        .filter(({ path }) => MULTILINE.test(path))
        .flatMap(({ path }) =>
          [...texts, ...(path === 'reason' ? [' \n', '\u200b'] : [])].map((text) => ({
            operation,
            what: `${path}: ${JSON.stringify(text)}`,
            body: replaced(example, path, text),
            expected: INVALID(path),
          })),
        ),
    );
    expect(await faultsOf(cases)).toEqual([]);
  });
});

describe('a query', () => {
  it('with an unknown parameter is refused, naming it, at every route', async () => {
    const cases = api.operations.flatMap((operation) => {
      const schema = api.bodyOf(operation);
      const body = schema && api.exampleOf(schema);
      return ['surprise=1', '$where=1', '__proto__=1', 'constructor=1', 'limit[$gt]=1'].map((query) => ({
        operation,
        what: query,
        query,
        body,
        expected: INVALID(query.split('=')[0]),
      }));
    });
    expect(await faultsOf(cases)).toEqual([]);
  });

  it('with a parameter that is wrong is refused, naming it', async () => {
    const wrong: Record<string, string[]> = {
      number: ['', 'one', '1e3x', '1.5', '-1', '1e308', 'NaN', 'Infinity', '%00', '0x', 'null', '99999999999999999999'],
      boolean: ['', '1', 'yes', 'TRUE', '%00'],
      'date-time': ['', 'today', '2031-13-01T00:00:00Z', '1234567890', '2031-01-01', '%00', '+275760-09-13T00:00:00Z'],
      enum: ['', 'nonsense', '%00', '%24gt'],
      other: [],
    };
    const cases = api.operations.flatMap((operation) =>
      operation.parameters
        .filter((parameter) => parameter.in === 'query')
        .flatMap(({ name, schema = {} }) => {
          const { type, format, enum: allowed, items } = api.resolve(schema);
          const kind = (allowed ?? items?.enum) ? 'enum' : (format ?? String(type));
          return (wrong[kind] ?? wrong['other'] ?? []).map((value) => ({
            operation,
            what: `${name}=${value}`,
            query: `${name}=${value}`,
            expected: INVALID(name),
          }));
        }),
    );
    expect(await faultsOf(cases)).toEqual([]);
  });

  it('with a parameter given twice, where one is meant, is refused', async () => {
    const cases = api.operations.flatMap((operation) =>
      operation.parameters
        .filter((parameter) => parameter.in === 'query' && parameter.schema?.type !== 'array')
        .map(({ name, schema = {} }) => {
          const value = encodeURIComponent((api.exampleOf(schema) as string | number | undefined) ?? 'x');
          const query = `${name}=${value}&${name}=${value}`;
          return { operation, what: query, query, expected: INVALID(name) };
        }),
    );
    expect(await faultsOf(cases)).toEqual([]);
  });
});

describe('an id in the path', () => {
  // Wrong passwords in the bodies above are counted against the administrator who sent them.
  beforeAll(async () => {
    admin = await newAdmin();
  });

  const withId = () => api.operations.filter(({ path }) => path.includes('{'));

  it.each([
    ['unknown', UNKNOWN_ID],
    ['too short', UNKNOWN_ID.slice(1)],
    ['too long', `${UNKNOWN_ID}0`],
    ['in capitals', UNKNOWN_ID.toUpperCase()],
    ['a number', '1'],
    ['a word', 'nonsense'],
    ['twelve characters', 'twelve-chars'],
    ['an operator', '%7B%22%24gt%22%3A%22%22%7D'],
    ['a NUL character', '%00'],
    ['not ASCII', '%F0%9F%92%A9'],
    ['a path', '..%2F..%2Fhealth'],
    ['a thousand characters long', 'a'.repeat(1000)],
  ])('that is %s is 404', async (_, id) => {
    const cases = withId().map((operation) => {
      const schema = api.bodyOf(operation);
      const example = schema && (api.exampleOf(schema) as Record<string, unknown>);
      const body = example && 'password' in example ? { ...example, password: admin.password } : example;
      return {
        operation,
        what: id,
        path: pathOf(operation, id),
        body,
        expected: { status: 404, codes: ['NOT_FOUND'] },
      };
    });
    expect(await faultsOf(cases)).toEqual([]);
  });

  it("that is another user's is 404", async () => {
    const owner = await registerUser(service);
    const task = await createTask(owner.api, { status: 'done' });
    const [notification] = await waitFor('the notification', async () => {
      const { body } = await owner.api.get<PageOf<{ id: string }>>('/api/v1/notifications');
      return body.data.length > 0 && body.data;
    });
    const ids = { tasks: task.id, notifications: notification?.id };
    const cases = Object.entries(ids).flatMap(([collection, id]) =>
      withId()
        .filter(({ path }) => path.startsWith(`/api/v1/${collection}/{`))
        .map((operation) => {
          const schema = api.bodyOf(operation);
          const body = schema && api.exampleOf(schema);
          return {
            operation,
            what: 'another’s',
            path: pathOf(operation, id),
            body,
            expected: { status: 404, codes: ['NOT_FOUND'] },
          };
        }),
    );
    expect(await faultsOf(cases)).toEqual([]);
    expect((await owner.api.get(`/api/v1/tasks/${task.id}`)).body).toEqual(task);
  });
});

describe('credentials', () => {
  it('are required wherever the document says so', async () => {
    // `{}` among the schemes: a token isn't required.
    const isEmptyObject = (scheme: unknown) => JSON.stringify(scheme) === '{}';
    const guarded = api.operations.filter(
      ({ security }) => security === undefined || (security.length > 0 && !security.some(isEmptyObject)),
    );
    const nobody = new ApiClient(service);
    const answers = await Promise.all(
      guarded.map(async (operation) => {
        const schema = api.bodyOf(operation);
        const body = schema && api.exampleOf(schema);
        const answer = await nobody.send<Problem>(operation.method, pathOf(operation), body);
        return `${operation.method} ${operation.path}: ${answer.status} ${answer.body.code}`;
      }),
    );
    expect(answers.filter((answer) => !answer.endsWith(': 401 UNAUTHENTICATED'))).toEqual([]);
  });

  it('of too low a role are 403 wherever the document names one', async () => {
    const { api: client } = await registerUser(service);
    const guarded = api.operations.filter((operation) => operation['x-minimum-role'] !== undefined);
    expect(guarded.length).toBeGreaterThan(0);
    for (const operation of guarded) {
      const schema = api.bodyOf(operation);
      const { status, body } = await client.send<Problem>(
        operation.method,
        pathOf(operation),
        schema && api.exampleOf(schema),
      );
      expect([operation.operationId, status, body.code]).toEqual([operation.operationId, 403, 'FORBIDDEN']);
    }
  });
});

describe('a path', () => {
  it.each(['/%', '/api/v1/tasks/%E0%A4%A', '/api/v1/tasks/%zz', '/api/v1/%ff', '//api/v1/tasks', '/api/v1/tasks/'])(
    'that is encoded badly or nearly right is 404: %s',
    async (path) => {
      const { status, headers, body } = await sendRaw<Problem>(service, 'GET', path);
      expect([status, body.code]).toEqual([404, 'NOT_FOUND']);
      expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(headers.get('x-request-id')).toBe(body.requestId);
    },
  );

  it('that is far too long is refused', async () => {
    const { status } = await sendRaw(service, 'GET', `/api/v1/tasks?cursor=${'x'.repeat(100_000)}`);
    expect([414, 431]).toContain(status);
  });
});

it('leaves the service healthy, and no failure of ours in its log', async () => {
  expect((await new ApiClient(service).get('/health/ready')).status).toBe(200);
  const failures = service.logLines().filter(({ level }) => level === 'error' || level === 'fatal');
  expect(failures.map(({ msg, method, path, err }) => ({ msg, method, path, err })).slice(0, 5)).toEqual([]);
});
