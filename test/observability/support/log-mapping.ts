import { readFileSync } from 'node:fs';

export const FOLDER = 'observability/logs';

interface Field {
  type?: string;
  properties?: Record<string, Field>;
}
interface Template {
  index_patterns: string[];
  data_stream: object;
  template: { mappings: { dynamic: boolean; properties: Record<string, Field> } };
}
export const template = JSON.parse(readFileSync(`${FOLDER}/index-template.json`, 'utf8')) as Template;

const whole = (max: number) => (value: unknown) => Number.isInteger(value) && Math.abs(value as number) <= max;
const isText = (value: unknown) => typeof value === 'string';

/** What Elasticsearch takes for a field of the type, told not to coerce; a keyword is made of any scalar. */
const TYPES: Record<string, (value: unknown) => boolean> = {
  date: (value) => isText(value) && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value),
  keyword: (value) => ['string', 'number', 'boolean'].includes(typeof value),
  text: isText,
  short: whole(2 ** 15 - 1),
  integer: whole(2 ** 31 - 1),
  float: (value) => typeof value === 'number' && Number.isFinite(value),
};

/** Fields of a line that the mapping doesn't know, or knows as something else; none for a line that can be searched in full. */
export function problemsOf(line: object, properties = template.template.mappings.properties, path = ''): string[] {
  return Object.entries(line).flatMap(([name, value]: [string, unknown]) => {
    const field = properties[name];
    const place = `${path}${name}`;
    if (!field) return [`${place} isn't mapped`];
    if (value === null || value === undefined) return [];
    if (field.properties) {
      return typeof value === 'object' ? problemsOf(value, field.properties, `${place}.`) : [`${place} is no object`];
    }
    return TYPES[field.type!]!(value) ? [] : [`${place} is no ${field.type}: ${JSON.stringify(value)}`];
  });
}

/** The names of all fields, `err.message` for one inside another. */
export function fieldNames(properties = template.template.mappings.properties, path = ''): string[] {
  return Object.entries(properties).flatMap(([name, field]) =>
    field.properties ? fieldNames(field.properties, `${path}${name}.`) : [`${path}${name}`],
  );
}
