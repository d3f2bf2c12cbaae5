import type { OpenAPIObject } from '@nestjs/swagger';
import { operationsOf, type Parameter } from './types.js';

type InlineParameter = Exclude<Parameter, { $ref: string }>;

/** The parameters that go through `IdPipe`. */
const IDS = new Set(['id', 'attachmentId']);
const ID = {
  description: 'An id; a malformed one is answered like an unknown one, 404',
  schema: { type: 'string', pattern: '^[0-9a-f]{24}$' },
  example: '665f1c2e9b1d4a3f8c7e6d5b',
} as const;

/** Describes the ids in paths. */
export function describeId(parameter: Parameter): Parameter {
  const isId = !('$ref' in parameter) && parameter.in === 'path' && IDS.has(parameter.name);
  return isId ? { ...parameter, ...ID } : parameter;
}

/** Equal for parameters with the same members, in whatever order decorators and plain objects give them. */
const keyOf = (parameter: Parameter) => JSON.stringify(Object.entries(parameter).sort());

/** Moves parameters that several operations have alike to `components.parameters`. */
export function shareParameters(document: OpenAPIObject): void {
  const uses = new Map<string, number>();
  const inline = operationsOf(document).flatMap(({ operation }) => operation.parameters ?? []);
  for (const parameter of inline) {
    uses.set(keyOf(parameter), (uses.get(keyOf(parameter)) ?? 0) + 1);
  }
  const shared: Record<string, InlineParameter> = {};
  const share = (parameter: Parameter): Parameter => {
    if ('$ref' in parameter || (uses.get(keyOf(parameter)) ?? 0) < 2) return parameter;
    const name = parameter.name.replaceAll('-', '').replace(/^./, (first) => first.toUpperCase());
    shared[name] ??= parameter;
    // Another one of this name stays where it is.
    return keyOf(shared[name]) === keyOf(parameter) ? { $ref: `#/components/parameters/${name}` } : parameter;
  };
  for (const { operation } of operationsOf(document)) {
    if (operation.parameters) operation.parameters = operation.parameters.map(share);
  }
  document.components = { ...document.components, parameters: shared };
}
