import type { OpenAPIObject } from '@nestjs/swagger';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const SCHEMAS = '#/components/schemas/';

/**
 * Removes `default` from every schema that the body of a `PATCH` consists of. A field that a change leaves out keeps its value;
 * a default there would make generated clients send it, and so reset the field.
 */
export function removePatchDefaults({ paths, components }: OpenAPIObject): void {
  const schemas = (components?.schemas ?? {}) as unknown as Record<string, Json>;
  const visited = new Set<Json>();
  const visit = (node: Json | undefined): void => {
    if (node === null || typeof node !== 'object' || visited.has(node)) return;
    visited.add(node);
    if (Array.isArray(node)) return node.forEach(visit);
    const { $ref, properties, ...keywords } = node;
    if (typeof $ref === 'string' && $ref.startsWith(SCHEMAS)) visit(schemas[$ref.slice(SCHEMAS.length)]);
    delete node['default'];
    // A field may have the name of a keyword.
    if (properties) Object.values(properties).forEach(visit);
    Object.values(keywords).forEach(visit);
  };
  for (const { patch } of Object.values(paths)) {
    if (patch?.requestBody && 'content' in patch.requestBody) {
      for (const { schema } of Object.values(patch.requestBody.content)) visit(schema as unknown as Json);
    }
  }
}
