import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { dereference } from '../../support/dereference.js';
import { type Addressable, ApiClient, type ApiResponse, type Problem } from '../../support/api-client.js';

/** The keywords of JSON Schema 2020-12 that the document uses. */
export interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  format?: string;
  pattern?: string;
  example?: unknown;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
}

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  explode?: boolean;
  schema: JsonSchema;
}

interface Media {
  schema?: JsonSchema;
  example?: unknown;
  examples?: Record<string, unknown>;
}

interface Answer {
  headers?: Record<string, { required?: boolean }>;
  content?: Record<string, Media>;
}

interface OperationObject {
  security?: object[];
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content: Record<string, Media> };
  responses: Record<string, Answer>;
  'x-minimum-role'?: string;
}

interface OpenApiDocument {
  paths: Record<string, Record<string, OperationObject>>;
  components: { schemas: Record<string, JsonSchema> };
}

/** One operation of the document. */
export interface Operation {
  method: string;
  path: string;
  isPublic: boolean;
  minimumRole?: string;
  parameters: Parameter[];
  /** Where it takes one. */
  bodySchema?: JsonSchema;
  isBodyRequired: boolean;
  responses: Record<string, Answer>;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const DOCUMENT = 'openapi';
/** Headers that the document names exactly where they are sent. */
const DOCUMENTED_HEADERS = [
  ...['cache-control', 'etag', 'idempotency-replayed', 'link', 'location', 'retry-after', 'www-authenticate'],
  ...['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset', 'x-cache', 'x-request-id'],
];
/** RFC 9457, 3.2: problems may have further members. */
const EXTENSIBLE = 'ProblemResponseDto';

/** The OpenAPI document as what it is: a promise about every answer. */
export class Contract {
  readonly operations: Operation[];
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true });
  private readonly validators = new Map<string, ValidateFunction>();

  readonly document: OpenApiDocument;

  constructor(published: OpenApiDocument) {
    const document = dereference(published);
    this.document = document;
    this.operations = Object.entries(document.paths).flatMap(([path, item]) =>
      METHODS.filter((method) => item[method]).map((method) => toOperation(method, path, item[method])),
    );
    addFormats.default(this.ajv);
    this.ajv.addFormat('idn-email', /^[^@\s]+@[^@\s]+$/u);
    this.ajv.addSchema({ ...(closed(document) as OpenApiDocument), $id: DOCUMENT });
  }

  static async of(service: Addressable): Promise<Contract> {
    return new Contract((await new ApiClient(service).get<OpenApiDocument>('/docs/openapi.json')).body);
  }

  resolve(schema: JsonSchema): JsonSchema {
    if (schema.$ref === undefined) return schema;
    return this.document.components.schemas[schema.$ref.split('/').at(-1) as string] as JsonSchema;
  }

  /** Whether the document allows this body. */
  allowsBody({ method, path, bodySchema }: Operation, body: unknown): boolean {
    if (!bodySchema) return true;
    return this.validator('paths', path, method, 'requestBody', 'content', 'application/json', 'schema')(body);
  }

  /** Whether the document allows this text as a query parameter. */
  allowsParameter({ method, path, parameters }: Operation, name: string, text: string): boolean {
    const index = parameters.findIndex((parameter) => parameter.in === 'query' && parameter.name === name);
    const types = [parameters[index]?.schema.type].flat();
    const value = types.includes('array') ? text.split(',') : (parsedAs(types, text) ?? text);
    return this.validator('paths', path, method, 'parameters', String(index), 'schema')(value);
  }

  /** @returns what in the answer the document doesn't allow; empty where it keeps to it */
  contradictions({ method, path, responses }: Operation, { status, headers, body }: ApiResponse): string[] {
    if (status >= 500) return [`it answered ${status}: ${JSON.stringify(body)}`];
    const answer = responses[status];
    if (!answer) return [`${status} is not documented: ${JSON.stringify(body)}`];
    const missing = Object.entries(answer.headers ?? {})
      .filter(([name, { required }]) => required !== false && !headers.has(name))
      .map(([name]) => name);
    const documented = new Set(Object.keys(answer.headers ?? {}).map((name) => name.toLowerCase()));
    const undocumented = DOCUMENTED_HEADERS.filter((name) => headers.has(name) && !documented.has(name));
    const found = [
      ...missing.map((name) => `a ${status} without ${name}`),
      ...undocumented.map((name) => `a ${status} with ${name}`),
    ];
    const content = Object.entries(answer.content ?? {});
    const [type = ''] = (headers.get('content-type') ?? '').split(';');
    const media = content.find(([name]) => name === type)?.[1];
    if (content.length === 0) return body === undefined ? found : [...found, `a ${status} with a body`];
    if (!media) return [...found, `a ${status} as ${type || 'nothing'}`];
    const code = (body as Problem | undefined)?.code;
    if (type === 'application/problem+json' && !(code !== undefined && code in (media.examples ?? {}))) {
      found.push(`a ${status} with the code ${code}`);
    }
    const validate = this.validator('paths', path, method, 'responses', String(status), 'content', type, 'schema');
    if (validate(body)) return found;
    return [...found, `a ${status} whose body doesn't fit: ${this.ajv.errorsText(validate.errors)}`];
  }

  /** @returns what of this JSON body the document doesn't allow in an answer with this status */
  faultsOf({ method, path }: Operation, status: string, body: unknown): string[] {
    const steps = ['paths', path, method, 'responses', status, 'content', 'application/json', 'schema'];
    const validate = this.validator(...steps);
    return validate(body) ? [] : [this.ajv.errorsText(validate.errors)];
  }

  /** @returns the examples of properties that their own schemas refuse, one a line */
  wrongExamples(): string[] {
    return Object.entries(this.document.components.schemas).flatMap(([name, { properties = {} }]) =>
      Object.entries(properties).flatMap(([property, { example }]) => {
        if (example === undefined) return [];
        const validate = this.validator('components', 'schemas', name, 'properties', property);
        return validate(example) ? [] : [`${name}.${property}: ${this.ajv.errorsText(validate.errors)}`];
      }),
    );
  }

  private validator(...steps: string[]): ValidateFunction {
    const pointer = steps.map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
    let validate = this.validators.get(pointer);
    if (!validate) this.validators.set(pointer, (validate = this.ajv.compile({ $ref: `${DOCUMENT}#/${pointer}` })));
    return validate;
  }
}

/** A number or boolean as queries write it; undefined for other text. */
function parsedAs(types: unknown[], text: string): unknown {
  if (types.includes('boolean')) return { true: true, false: false }[text];
  return types.some((type) => type === 'integer' || type === 'number') && text !== '' ? Number(text) : undefined;
}

function toOperation(method: string, path: string, operation: OperationObject | undefined): Operation {
  const { security, parameters = [], requestBody, responses, ...rest } = operation as OperationObject;
  const bodySchema = requestBody?.content['application/json']?.schema;
  const minimumRole = rest['x-minimum-role'];
  return {
    ...{ method, path, parameters, responses, isPublic: isPublic(security) },
    isBodyRequired: requestBody?.required === true,
    ...(bodySchema && { bodySchema }),
    ...(minimumRole && { minimumRole }),
  };
}

/** Whether an operation needs no token: it names no scheme, or `{}` among them. */
function isPublic(security: object[] | undefined): boolean {
  return security?.length === 0 || security?.some((scheme) => Object.keys(scheme).length === 0) === true;
}

/** The same document, but a member that an object schema doesn't name is a mistake: that is how a leak would show. */
function closed(node: unknown, name = ''): unknown {
  if (Array.isArray(node)) return node.map((each) => closed(each));
  if (node === null || typeof node !== 'object') return node;
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closed(value, key)]));
  const isClosable = 'properties' in copy && copy['type'] === 'object' && !('additionalProperties' in copy);
  return isClosable && name !== EXTENSIBLE ? { ...copy, additionalProperties: false } : copy;
}
