import type { Contract, JsonSchema, Operation } from '../security/support/contract.js';

/** A request that differs from a right one in at most one place. */
export interface RequestCase {
  operation: Operation;
  /** The field or parameter that differs; empty for none. */
  field: string;
  query: Record<string, string>;
  body: unknown;
  /** Whether the document calls it valid. */
  isValid: boolean;
}

/** A value for a field; `undefined` leaves the field out. */
interface Variant {
  field: string;
  value: unknown;
}

const ANY_TYPE = [null, true, 7.5, 'text', [], {}];

/**
 * Requests of all operations at the limits of their schemas, and just beyond them: each length, number of items, value of an
 * enum, missing and additional field. The same ones each time. A schema that several bodies have is tried in the first.
 */
export function requestCases(contract: Contract): RequestCase[] {
  const tried = new Set<string | undefined>();
  return contract.operations.flatMap((operation) => {
    const reference = operation.bodySchema?.$ref;
    const isTried = reference !== undefined && tried.has(reference);
    tried.add(reference);
    return casesOf(contract, operation, isTried);
  });
}

function casesOf(contract: Contract, operation: Operation, isBodyTried: boolean): RequestCase[] {
  const schemas = new Schemas(contract);
  const { bodySchema } = operation;
  const body = bodySchema && schemas.example(bodySchema);
  const isValidQuery = (query: Record<string, string>) =>
    Object.entries(query).every(([name, text]) => contract.allowsParameter(operation, name, text));
  const bodies = bodySchema
    ? [{ field: '', value: body }, ...(isBodyTried ? [] : schemas.variants('', bodySchema))]
    : [];
  const parameters = operation.parameters.filter((parameter) => parameter.in === 'query');
  const queries = parameters.flatMap(({ name, schema }) =>
    schemas.variants(name, schema).flatMap(({ value }) => {
      const text = value === undefined ? undefined : [value].flat().map(String).join(',');
      return text === undefined ? [] : [{ field: name, query: { [name]: text } }];
    }),
  );
  return [
    ...(bodySchema
      ? [{ operation, field: 'body', query: {}, body: undefined, isValid: !operation.isBodyRequired }]
      : []),
    ...bodies.map(({ field, value }) => {
      return { operation, field, query: {}, body: value, isValid: contract.allowsBody(operation, value) };
    }),
    // Unknown parameters are refused, which the document can only say in words.
    { operation, field: 'surplus', query: { surplus: '1' }, body, isValid: false },
    ...queries.map(({ field, query }) => ({ operation, field, query, body, isValid: isValidQuery(query) })),
  ];
}

class Schemas {
  constructor(private readonly contract: Contract) {}

  /** A value that the schema allows, with all fields. */
  example(given: JsonSchema): unknown {
    const schema = this.contract.resolve(given);
    if (schema.example !== undefined) return schema.example;
    const choice = (schema.anyOf ?? schema.oneOf ?? schema.allOf)?.[0];
    if (choice) return this.example(choice);
    if (schema.enum) return schema.enum[0];
    const [type] = [schema.type ?? 'object'].flat();
    if (type === 'boolean') return true;
    if (type === 'integer' || type === 'number') return schema.minimum ?? 1;
    if (type === 'string') return schema.format === 'date-time' ? '2035-01-31T09:30:00.000Z' : 'text';
    if (type === 'array') return [this.example(schema.items ?? {})];
    const members = Object.entries(schema.properties ?? {}).map(([name, member]) => [name, this.example(member)]);
    return Object.fromEntries(members) as unknown;
  }

  /** Values around the limits of a schema, for the field `field` or a field in it. */
  variants(field: string, given: JsonSchema): Variant[] {
    const schema = this.contract.resolve(given);
    const choices = schema.anyOf ?? schema.oneOf;
    if (choices) return choices.flatMap((choice) => this.variants(field, choice));
    const values = [...ANY_TYPE, ...(schema.enum ?? []), ...this.limits(schema)];
    return [...values.map((value) => ({ field, value })), ...this.memberVariants(field, schema)];
  }

  private limits(schema: JsonSchema): unknown[] {
    const { minLength = 0, maxLength, minimum, maximum, minItems = 0, maxItems, items } = schema;
    const around = (limit: number | undefined) => (limit === undefined ? [] : [limit - 1, limit, limit + 1]);
    if (items) {
      const lengths = [...around(minItems), ...around(maxItems), 2].filter((length) => length >= 0);
      const lists = lengths.map((length) => Array.from({ length }, () => this.example(items)));
      return [...lists, ...this.variants('', items).map(({ value }) => [value])];
    }
    if (schema.enum || schema.format) return [];
    const lengths = [...around(minLength), ...around(maxLength)].filter((length) => length >= 0);
    const texts = [schema.type].flat().includes('string') ? lengths.map((length) => textOf(length)) : [];
    return [...texts, ...around(minimum), ...around(maximum)];
  }

  private memberVariants(field: string, schema: JsonSchema): Variant[] {
    const { properties, required = [] } = schema;
    if (!properties) return [];
    const whole = this.example(schema) as Record<string, unknown>;
    const path = (name: string) => (field ? `${field}.${name}` : name);
    const without = (name: string) => Object.fromEntries(Object.entries(whole).filter(([each]) => each !== name));
    return [
      { field: path('surplus'), value: { ...whole, surplus: 1 } },
      { field, value: Object.fromEntries(Object.entries(whole).filter(([name]) => required.includes(name))) },
      ...Object.entries(properties).flatMap(([name, member]) => [
        { field: path(name), value: without(name) },
        ...this.variants(path(name), member).map((variant) => ({
          field: variant.field,
          value: { ...whole, [name]: variant.value },
        })),
      ]),
    ];
  }
}

/** Lengths count code points, which have one or two UTF-16 code units. */
function textOf(length: number): string {
  return 'a😀'.repeat(length).slice(0, length + Math.floor(length / 2));
}
