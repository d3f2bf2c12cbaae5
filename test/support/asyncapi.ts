import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

export const ASYNCAPI_FILE = 'docs/asyncapi.yaml';

interface EventDocument {
  name: string;
  payload: { allOf: [object, { properties: { type: { const: string } } }] };
  examples: { payload: object }[];
}

interface AsyncApiDocument {
  channels: Record<string, { address: string }>;
  components: { messages: Record<string, EventDocument>; schemas: Record<string, object> };
}

/** The published description of events, and whether an event is as it says. */
export class EventContracts {
  readonly document = parse(readFileSync(ASYNCAPI_FILE, 'utf8')) as AsyncApiDocument;
  private readonly validators = new Map<string, ValidateFunction>();

  constructor() {
    // The document's messages as JSON Schemas that can refer to its components.
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    (addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
    ajv.addSchema({ ...this.document, $id: 'asyncapi' });
    for (const [key, { name }] of Object.entries(this.document.components.messages)) {
      this.validators.set(name, ajv.compile({ $ref: `asyncapi#/components/messages/${key}/payload` }));
    }
  }

  /** The types of all documented events. */
  get types(): string[] {
    return [...this.validators.keys()];
  }

  /** @returns what is wrong with it, a line each; nothing where it is as documented */
  problemsOf(event: { type: string }): string[] {
    const validate = this.validators.get(event.type);
    if (!validate) return [`${event.type} is not documented`];
    validate(event);
    return (validate.errors ?? []).map(({ instancePath, message }) => `${event.type} ${instancePath} ${message}`);
  }
}
