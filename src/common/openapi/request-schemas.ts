import type { OpenAPIObject } from '@nestjs/swagger';
import { type Json, type Operation, operationsOf } from './types.js';

type JsonObject = { [key: string]: Json };

const SCHEMAS = '#/components/schemas/';

/**
 * States what the validation of bodies does beyond the DTOs' own rules: unknown fields are refused, and a field that a
 * change leaves out keeps its value. A default in a `PATCH` would make generated clients send it, and so reset the field.
 */
export function completeRequestSchemas(document: OpenAPIObject): void {
  const schemas = (document.components?.schemas ?? {}) as unknown as Record<string, Json>;
  const bodiesOf = (methods: (method: string) => boolean) =>
    operationsOf(document)
      .filter(({ method }) => methods(method))
      .flatMap(({ operation }) => bodySchemas(operation));
  forEachSchema(
    bodiesOf(() => true),
    schemas,
    (schema) => {
      if (schema['properties']) schema['additionalProperties'] ??= false;
    },
  );
  forEachSchema(
    bodiesOf((method) => method === 'patch'),
    schemas,
    (schema) => {
      delete schema['default'];
    },
  );
}

function bodySchemas({ requestBody }: Operation): Json[] {
  if (!requestBody || !('content' in requestBody)) return [];
  return Object.values(requestBody.content).map(({ schema }) => schema as unknown as Json);
}

/** Calls `change` once for each of these schemas and those that they consist of. */
function forEachSchema(roots: Json[], schemas: Record<string, Json>, change: (schema: JsonObject) => void): void {
  const visited = new Set<Json>();
  const visit = (node: Json | undefined): void => {
    if (node === undefined || node === null || typeof node !== 'object' || visited.has(node)) return;
    visited.add(node);
    if (Array.isArray(node)) return node.forEach(visit);
    const { $ref, properties, ...keywords } = node;
    if (typeof $ref === 'string' && $ref.startsWith(SCHEMAS)) visit(schemas[$ref.slice(SCHEMAS.length)]);
    change(node);
    // A field may have the name of a keyword.
    if (properties) Object.values(properties).forEach(visit);
    Object.values(keywords).forEach(visit);
  };
  roots.forEach(visit);
}
