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
  info: { tags: { name: string }[] };
  channels: Record<string, { address: string; messages: Record<string, { name: string }> }>;
  components: { messages: Record<string, EventDocument>; schemas: Record<string, object> };
}

/** Some of the messages of the published document, and whether one is as it says. */
class Contracts {
  readonly document = parse(readFileSync(ASYNCAPI_FILE, 'utf8')) as AsyncApiDocument;
  private readonly validators = new Map<string, ValidateFunction>();

  /** @param place the pointer of an object of messages, e.g. `/components/messages` */
  constructor(place: string, messagesOf: (document: AsyncApiDocument) => Record<string, { name: string }>) {
    // The document's messages as JSON Schemas that can refer to its components.
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    (addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
    ajv.addSchema({ ...this.document, $id: 'asyncapi' });
    for (const [key, { name }] of Object.entries(messagesOf(this.document))) {
      this.validators.set(name, ajv.compile({ $ref: `asyncapi#${place}/${key}/payload` }));
    }
  }

  /** The types of all of them. */
  get types(): string[] {
    return [...this.validators.keys()];
  }

  /** @returns what is wrong with it, a line each; nothing where it is as documented */
  problemsOf(message: { type: string }): string[] {
    const validate = this.validators.get(message.type);
    if (!validate) return [`${message.type} is not documented`];
    validate(message);
    return (validate.errors ?? []).map(({ instancePath, message: what }) => `${message.type} ${instancePath} ${what}`);
  }
}

/** The events that modules tell each other. */
export class EventContracts extends Contracts {
  constructor() {
    super('/components/messages', ({ components }) => components.messages);
  }
}

/** The messages of the WebSocket. */
export class LiveContracts extends Contracts {
  constructor() {
    super('/channels/Live/messages', ({ channels }) => channels['Live']?.messages ?? {});
  }
}
