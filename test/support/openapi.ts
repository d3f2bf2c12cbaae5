import type { Addressable } from './api-client.js';
import { dereference } from './dereference.js';

/** As much of JSON Schema as the document uses. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  format?: string;
  example?: unknown;
  examples?: unknown[];
  default?: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  discriminator?: { propertyName: string; mapping: Record<string, string> };
  additionalProperties?: Schema | boolean;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
}

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  description?: string;
  schema?: Schema;
}

interface MediaType {
  schema?: Schema;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
}

export interface Response {
  description: string;
  headers?: Record<string, unknown>;
  content?: Record<string, MediaType>;
}

export interface Operation {
  method: string;
  path: string;
  operationId: string;
  summary?: string;
  description?: string;
  security?: { bearer?: string[]; apiKey?: string[] }[];
  parameters: Parameter[];
  requestBody?: { content: Record<string, MediaType> };
  responses: Record<string, Response>;
  'x-minimum-role'?: string;
}

export interface OpenApiDocument {
  openapi: string;
  servers: { url: string }[];
  externalDocs: { url: string };
  paths: Record<string, Record<string, Omit<Operation, 'method' | 'path'>>>;
  components: {
    schemas: Record<string, Schema>;
    parameters: Record<string, Parameter>;
    securitySchemes: Record<string, unknown>;
  };
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/** The document as the service publishes it, with its schemas looked up. */
export class Api {
  readonly operations: Operation[];

  constructor(readonly document: OpenApiDocument) {
    this.operations = Object.entries(dereference(document).paths).flatMap(([path, item]) =>
      METHODS.flatMap((method) => {
        const operation = item[method];
        return operation
          ? [{ ...operation, parameters: operation.parameters ?? [], method: method.toUpperCase(), path }]
          : [];
      }),
    );
  }

  static async of(service: Addressable): Promise<Api> {
    const response = await fetch(new URL('/docs/openapi.json', service.url));
    return new Api((await response.json()) as OpenApiDocument);
  }

  /** The collections whose rows a `POST` creates and a `PATCH` changes, with an example of each body. */
  get collections(): { path: string; row: unknown; change: unknown }[] {
    return this.operations.flatMap((creation) => {
      const { path } = creation;
      const change = this.operations.find((each) => each.method === 'PATCH' && each.path === `${path}/{id}`);
      if (creation.method !== 'POST' || !change) return [];
      const exampleFor = (operation: Operation) => this.exampleOf(this.bodyOf(operation) as Schema);
      return [{ path, row: exampleFor(creation), change: exampleFor(change) }];
    });
  }

  /** The schema of the JSON body; undefined where the operation takes none. */
  bodyOf({ requestBody }: Operation): Schema | undefined {
    const schema = requestBody?.content['application/json']?.schema;
    return schema && this.resolve(schema);
  }

  /** What `$ref`, `allOf` and "or null" stand for. */
  resolve(schema: Schema): Schema {
    if (schema.$ref) return this.resolve(this.document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {});
    const branch = (schema.anyOf ?? schema.oneOf)?.find(({ type }) => type !== 'null');
    if (branch) return { ...this.resolve(branch), example: schema.example };
    if (!schema.allOf) return schema;
    return Object.assign({}, ...schema.allOf.map((part) => this.resolve(part)), {
      ...schema,
      allOf: undefined,
    }) as Schema;
  }

  /** @returns undefined where the document gives no example and none follows from the type */
  exampleOf(given: Schema): unknown {
    const schema = this.resolve(given);
    if (schema.example !== undefined) return schema.example;
    if (schema.examples?.length) return schema.examples[0];
    if (schema.default !== undefined) return schema.default;
    if (schema.enum?.length) return schema.enum[0];
    const [type] = [schema.type].flat().filter((each) => each !== 'null');
    if (type === 'boolean') return true;
    if (schema.format === 'date-time') return '2031-01-31T09:30:00.000Z';
    if (type === 'string') return 'string'; // what Swagger UI fills in
    if (type === 'number' || type === 'integer') return 0;
    if (type === 'array') {
      const item = this.exampleOf(schema.items ?? {});
      return item === undefined ? undefined : [item];
    }
    if (!schema.properties) return undefined;
    const properties = Object.entries(schema.properties).map(([name, each]) => [name, this.exampleOf(each)]);
    return Object.fromEntries(properties) as unknown;
  }

  /** Every field of a schema by its path (`channels.email`), those of nested objects included. */
  fieldsOf(given: Schema, parent = ''): { path: string; schema: Schema; required: boolean }[] {
    const { properties = {}, required = [] } = this.resolve(given);
    return Object.entries(properties).flatMap(([name, each]) => {
      const schema = this.resolve(each);
      const path = parent ? `${parent}.${name}` : name;
      return [
        { path, schema: { ...schema, ...typeOf(each, schema) }, required: required.includes(name) },
        ...this.fieldsOf(schema, path),
      ];
    });
  }
}

/** An "or null" around a reference counts as a type of its own. */
function typeOf(given: Schema, { type }: Schema): Pick<Schema, 'type'> {
  const nullable = (given.anyOf ?? given.oneOf)?.some((branch) => branch.type === 'null');
  return nullable ? { type: [type ?? 'object', 'null'].flat() } : type === undefined ? {} : { type };
}
