import fc, { type Arbitrary } from 'fast-check';
import { anyScript, mailAddress, withByte } from './texts.js';
import type { Contract, JsonSchema, Operation, Parameter } from './contract.js';

/** A request as it was drawn; ids are places in the pool of those that exist by then. */
export interface DrawnRequest {
  operation: Operation;
  /** Who sends it: a place among the actors. */
  actor: number;
  /** Values of path parameters: a place in the pool of real ids, or text as it is. */
  path: Record<string, number | string>;
  query: [string, string][];
  headers: Record<string, string>;
  /** Undefined for none. */
  body: unknown;
}

/** Values that this service in particular should be asked about, by the name of a field. */
export type KnownValues = Record<string, readonly unknown[]>;

/** Takes a password hash each, or ends the session of who asks: drawn less often. */
const RARE = /\/auth\/(register|log(in|out)|password\/|email\/change|mfa\/totp$)|^\/api\/v1\/users\/me$/;
const USUAL_WEIGHT = 12;

const TIME_ZONES = [...Intl.supportedValuesOf('timeZone'), 'utc', '+05:30', '-23:59', 'EST5EDT', 'Etc/GMT+12', 'ROC'];

/** What programmers forget that a string may be. */
const nastyString = fc.oneof(
  fc.constantFrom(
    ...[
      '',
      ' ',
      '\0',
      'a\0b',
      '\ud800',
      '\u202e',
      'é'.repeat(6),
      '😀'.repeat(40),
      '__proto__',
      'constructor',
      '$where',
    ],
    ...['{"$gt":""}', '../../etc/passwd', "' OR '1'='1", '<script>alert(1)</script>', 'a\r\nBcc: b@example.org', '%00'],
    ...['null', 'NaN', '-1', '1e309', '0x10', '9007199254740993', '2026-02-30T00:00:00Z', '0000-01-01T00:00:00+14:00'],
    ...['2016-12-31T23:59:60Z', '9999-12-31T23:59:59.999Z', '2026-01-01', '(((((((((', '[', '*', 'x'.repeat(20_000)],
  ),
  fc.string({ unit: 'binary', maxLength: 60 }),
  anyScript,
  mailAddress,
  fc.string({ unit: 'grapheme', maxLength: 60 }),
);

/** The address and the header fields of a request may have 16 KiB together. */
const nastyQuery = nastyString.map((text) => text.slice(0, 1500));

const nastyValue: Arbitrary<unknown> = fc.oneof(
  nastyString,
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, 1e308, Number.MAX_SAFE_INTEGER, [], {}, [[]], [null]),
  fc.constantFrom<unknown>(
    { $gt: '' },
    { $ne: null },
    { toString: 1 },
    { constructor: { prototype: {} } },
    { length: 5 },
  ),
  fc.jsonValue({ maxDepth: 4 }),
);

/** Makes requests of an operation: most of them as documented, many with something wrong. */
export class RequestArbitraries {
  constructor(
    private readonly contract: Contract,
    private readonly known: KnownValues,
    private readonly actors: number,
  ) {}

  any(): Arbitrary<DrawnRequest> {
    return fc.oneof(
      ...this.contract.operations.map((operation) => ({
        weight: RARE.test(operation.path) && operation.method !== 'get' ? 1 : USUAL_WEIGHT,
        arbitrary: this.of(operation),
      })),
    );
  }

  private of(operation: Operation): Arbitrary<DrawnRequest> {
    const inPlace = (place: string) => operation.parameters.filter((parameter) => parameter.in === place);
    const isWhole = fc.boolean();
    return isWhole.chain((whole) =>
      fc.record({
        operation: fc.constant(operation),
        actor: fc.nat({ max: this.actors - 1 }),
        path: fc.record(Object.fromEntries(inPlace('path').map(({ name }) => [name, id()]))),
        query: this.query(inPlace('query'), whole),
        headers: this.headers(inPlace('header'), operation.bodySchema !== undefined),
        body: operation.bodySchema ? this.body(operation.bodySchema, whole) : undeclaredBody(operation),
      }),
    );
  }

  private query(parameters: Parameter[], whole: boolean): Arbitrary<[string, string][]> {
    const each = parameters.map(({ name, schema }) => {
      const good = this.value(name, schema).map((value) => [value].flat().map(String).join(','));
      const value = whole ? good : fc.oneof(good, nastyQuery);
      return fc.option(
        value.map((text): [string, string] => [name, text]),
        { freq: 2, nil: undefined },
      );
    });
    const extra = whole
      ? fc.constant(undefined)
      : fc.option(fc.tuple(nastyQuery, nastyQuery), { freq: 1, nil: undefined });
    const twice = fc.integer({ min: 0, max: whole ? 0 : 9 }).map((number) => number === 9);
    return fc.tuple(fc.tuple(...each), extra, twice).map(([named, unknown, repeated]) => {
      const given = [...named, unknown].filter((pair) => pair !== undefined);
      return repeated ? [...given, ...given] : given;
    });
  }

  private headers(parameters: Parameter[], hasBody: boolean): Arbitrary<Record<string, string>> {
    const tag = fc.constantFrom(
      ...['"1"', '"2"', '"3"', 'W/"1"', '*', '"1", "2"', '""', 'nonsense', '"99999999999999999999"'],
      ...['"0001"', '"1.0"', '"1,2"', '"1" "2"', '"1", *', ',,"1",', '"-1"', '"1', '', `${'"1", '.repeat(1000)}"2"`],
    );
    const key = fc.constantFrom('1', '2', '3', 'a key with spaces', '', 'x'.repeat(255), 'x'.repeat(256), 'caf\xe9');
    const each = Object.fromEntries(parameters.map(({ name }) => [name, name === 'Idempotency-Key' ? key : tag]));
    const charsets = ['utf-8', '"UTF-8"', 'iso-8859-1', 'utf-16le', 'us-ascii'];
    const type = fc.constantFrom(...charsets.map((charset) => `application/json; charset=${charset}`));
    const all = { ...each, ...(hasBody && { 'Content-Type': type }) };
    return fc.record(all, { requiredKeys: [] });
  }

  private body(schema: JsonSchema, whole: boolean): Arbitrary<unknown> {
    const good = this.value('', schema);
    if (whole) return good;
    const broken = fc.constantFrom('{', '[1,]', '{"__proto__":{"role":"admin"}}', '\0', '{"a":1}}', '"', '\ufeff{}');
    return fc.oneof(
      {
        weight: 6,
        arbitrary: fc.tuple(good, fc.string(), nastyValue, fc.nat()).map(([body, ...how]) => spoil(body, ...how)),
      },
      {
        weight: 2,
        arbitrary: nastyValue.filter((value) => typeof value !== 'string').map((value) => JSON.stringify(value)),
      },
      { weight: 1, arbitrary: broken },
      {
        weight: 1,
        arbitrary: fc.tuple(good, fc.integer({ min: 128, max: 255 }), fc.nat()).map((drawn) => withByte(...drawn)),
      },
      { weight: 1, arbitrary: fc.constant(undefined) },
    );
  }

  /** A value that the schema allows. */
  private value(name: string, given: JsonSchema): Arbitrary<unknown> {
    const schema = this.contract.resolve(given);
    const drawn = this.drawn(name, schema);
    const known = this.known[name];
    return known
      ? fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: drawn })
      : drawn;
  }

  private drawn(name: string, schema: JsonSchema): Arbitrary<unknown> {
    const choices = schema.anyOf ?? schema.oneOf;
    if (choices) return fc.oneof(...choices.map((choice) => this.value(name, choice)));
    if (schema.allOf) return fc.tuple(...schema.allOf.map((part) => this.value(name, part))).map(merge);
    if (schema.enum) return fc.constantFrom(...schema.enum);
    const types = [schema.type ?? 'object'].flat();
    return fc.oneof(...types.map((type) => this.ofType(type, name, schema)));
  }

  private ofType(type: string, name: string, schema: JsonSchema): Arbitrary<unknown> {
    const { minimum, maximum, minItems = 0, maxItems = 20, items = {}, properties = {}, required = [] } = schema;
    if (type === 'null') return fc.constant(null);
    if (type === 'boolean') return fc.boolean();
    if (type === 'integer' || type === 'number')
      return fc.integer({ min: minimum ?? -1000, max: maximum ?? 1_000_000 });
    if (type === 'string') return stringOf(name, schema);
    if (type === 'array') {
      const of = this.value(name, items);
      const length = { minLength: minItems, maxLength: Math.max(minItems, maxItems) };
      return schema.uniqueItems ? fc.uniqueArray(of, { ...length, comparator: 'SameValue' }) : fc.array(of, length);
    }
    const members = Object.entries(properties).map(([key, member]) => [key, this.value(key, member)]);
    return fc.record(Object.fromEntries(members) as Record<string, Arbitrary<unknown>>, { requiredKeys: required });
  }
}

function id(): Arbitrary<number | string> {
  const odd = fc.constantFrom(
    ...['0', 'me', 'F'.repeat(24), 'f'.repeat(24), 'f'.repeat(25), '\0', '../x', '😀', ' ', '~', '$ne'],
  );
  return fc.oneof({ weight: 5, arbitrary: fc.nat() }, { weight: 1, arbitrary: odd });
}

/** A body where none is declared is refused, not dropped. */
function undeclaredBody({ method }: Operation): Arbitrary<unknown> {
  if (method === 'get') return fc.constant(undefined);
  const bodies = fc.constantFrom<unknown>({}, { surplus: 1 }, '{}');
  return fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: bodies });
}

function stringOf(
  name: string,
  { format, pattern, example, minLength = 0, maxLength = 200 }: JsonSchema,
): Arbitrary<string> {
  if (name === 'timezone') return fc.constantFrom(...TIME_ZONES);
  if (format === 'date-time') {
    const range = { min: new Date('1900-01-01'), max: new Date('9998-12-31'), noInvalidDate: true };
    return fc.date(range).map((date) => date.toISOString());
  }
  if (format === 'idn-email') return fc.oneof(fc.emailAddress(), mailAddress);
  if (pattern) {
    const fits = (text: string) => [...text].length >= minLength && [...text].length <= maxLength;
    return fc.oneof(fc.stringMatching(new RegExp(pattern, 'u')), anyScript).filter(fits);
  }
  if (typeof example === 'string' && maxLength < 40) return fc.constant(example);
  const short = anyScript.filter((text) => [...text].length >= minLength && [...text].length <= maxLength);
  const plain = fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, 10_000), size: 'small' });
  return fc.oneof(plain, short);
}

/** One thing wrong with a body: a member of another kind, one too few or one too many. */
function spoil(body: unknown, surplus: string, value: unknown, choice: number): unknown {
  if (body === null || typeof body !== 'object') return value;
  const members = Object.entries(body);
  const [name] = members[choice % Math.max(1, members.length)] ?? [];
  const kind = choice % 5;
  if (name === undefined || kind === 0) return { ...body, [surplus]: value };
  if (kind === 1) return Object.fromEntries(members.filter(([key]) => key !== name));
  if (kind === 2)
    return { ...body, [name]: spoil((body as Record<string, unknown>)[name], surplus, value, choice >> 3) };
  return { ...body, [name]: value };
}

function merge(parts: unknown[]): unknown {
  return Object.assign({}, ...parts) as unknown;
}
