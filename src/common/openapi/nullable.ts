type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** OpenAPI 3.1 has no `nullable`: says the same with JSON Schema's `null` type, throughout the document. */
export function withoutNullable<T>(document: T): T {
  return convert(document as Json) as T;
}

function convert(node: Json): Json {
  if (Array.isArray(node)) return node.map(convert);
  if (node === null || typeof node !== 'object') return node;
  const { nullable, ...rest } = node;
  const schema = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, convert(value)]));
  if (typeof nullable !== 'boolean')
    return nullable === undefined ? schema : { ...schema, nullable: convert(nullable) };
  if (!nullable) return schema;
  if (typeof schema.type !== 'string') return { anyOf: [schema, { type: 'null' }] };
  return {
    ...schema,
    type: [schema.type, 'null'],
    ...(Array.isArray(schema.enum) ? { enum: [...schema.enum, null] } : {}),
  };
}
