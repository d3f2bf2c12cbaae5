import type { OpenAPIObject } from '@nestjs/swagger';
import { operationsOf } from './types.js';

/** As much of a schema as an example is made of. */
interface Schema {
  $ref?: string;
  type?: string | string[];
  example?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
}

/** Gives each successful JSON answer an example, made of the examples of its fields. */
export function addResponseExamples(document: OpenAPIObject): void {
  const schemas = (document.components?.schemas ?? {}) as Record<string, Schema>;
  for (const { operation } of operationsOf(document)) {
    for (const [status, response] of Object.entries(operation.responses)) {
      if (!status.startsWith('2') || !response || !('content' in response)) continue;
      const media = response.content?.['application/json'];
      if (media?.schema) media.example ??= exampleOf(media.schema, schemas);
    }
  }
}

/** @returns undefined where a part of the schema has no example, and none follows from its type */
function exampleOf(schema: Schema, schemas: Record<string, Schema>): unknown {
  if (schema.example !== undefined) return schema.example;
  if (schema.$ref) return exampleOf(schemas[schema.$ref.split('/').at(-1) as string] ?? {}, schemas);
  if (schema.enum) return schema.enum[0];
  const choice = (schema.anyOf ?? schema.oneOf ?? schema.allOf)?.[0];
  if (choice) return exampleOf(choice, schemas);
  if (schema.type === 'boolean') return true;
  if (schema.items) {
    const item = exampleOf(schema.items, schemas);
    return item === undefined ? undefined : [item];
  }
  if (!schema.properties) return undefined;
  // Of the optional fields, only those that have an example themselves: others depend on the outcome.
  const members = Object.entries(schema.properties)
    .filter(([name, { example }]) => example !== undefined || schema.required?.includes(name))
    .map(([name, member]) => [name, exampleOf(member, schemas)]);
  return Object.fromEntries(members.filter(([, example]) => example !== undefined)) as unknown;
}
