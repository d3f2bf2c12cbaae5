import type { Api, OpenApiDocument, Schema } from './openapi.js';

/** Between the paragraphs of a description. The last one is about access, and many operations share it. */
const BREAK = '\n\n';

/**
 * What the document leaves unsaid, one finding a line: an operation without a summary and a description of its own, a
 * parameter without a description, a property of a schema without an example.
 */
export function missingTexts({ document, operations }: Api): string[] {
  return [...operationFaults(operations), ...parameterFaults(operations), ...exampleFaults(document)];
}

function operationFaults(operations: Api['operations']): string[] {
  const users = new Map<string, string>();
  return operations.flatMap(({ method, path, summary = '', description = '' }) => {
    const name = `${method} ${path}`;
    const own = description.split(BREAK).slice(0, -1).join(BREAK);
    const faults = [
      ...(summary === '' ? [`${name}: no summary`] : []),
      ...(own === '' ? [`${name}: no description of its own (@remarks of the handler's comment)`] : []),
    ];
    for (const text of [summary, own].filter(Boolean)) {
      const first = users.get(text);
      if (first === undefined) users.set(text, name);
      else faults.push(`${name}: the same text as ${first}: ${text}`);
    }
    return faults;
  });
}

function parameterFaults(operations: Api['operations']): string[] {
  return operations.flatMap(({ method, path, parameters }) =>
    parameters
      .filter(({ description }) => !description)
      .map((parameter) => `${method} ${path}: no description of the parameter ${parameter.name}`),
  );
}

function exampleFaults({ components }: OpenApiDocument): string[] {
  return Object.entries(components.schemas).flatMap(([name, { properties = {} }]) =>
    Object.entries(properties).flatMap(([property, schema]) =>
      hasExample(schema) ? [] : [`${name}.${property}: no example`],
    ),
  );
}

/** A property that refers to another schema has the examples of that one. */
function hasExample({ example, $ref, items, allOf, anyOf, oneOf }: Schema): boolean {
  if (example !== undefined || $ref !== undefined) return true;
  const parts = allOf ?? anyOf ?? oneOf ?? (items ? [items] : []);
  return parts.some(hasExample);
}
