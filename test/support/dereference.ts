const SHARED = /^#\/components\/(responses|headers|parameters|examples)\//;

/** The same OpenAPI document with shared responses, headers, parameters and examples in their places; references to schemas stay. */
export function dereference<T>(document: T): T {
  const resolve = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(resolve);
    if (node === null || typeof node !== 'object') return node;
    const { $ref } = node as { $ref?: unknown };
    if (typeof $ref === 'string' && SHARED.test($ref)) return resolve(lookUp(document, $ref));
    return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, resolve(value)]));
  };
  return resolve(document) as T;
}

function lookUp(document: unknown, pointer: string): unknown {
  const found = pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((node, step) => (node as Record<string, unknown> | undefined)?.[step], document);
  if (found === undefined) throw new Error(`the document has no ${pointer}`);
  return found;
}
