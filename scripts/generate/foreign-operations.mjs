/**
 * Operations on paths that are otherwise another module's, by path.
 *
 * @returns of each path (without a slash at the beginning) its owner, and which module has which method of it
 */
export function foreignOperations(manifests) {
  const byPath = new Map();
  for (const { name, foreignOperations = [] } of manifests) {
    for (const { method, path } of foreignOperations) {
      const owner = manifests.find(({ apiPaths }) => apiPaths.includes(path.split('/')[0]));
      if (!owner)
        throw new Error(
          `The manifest of ${name} names ${method} ${path}, but no module has ${path.split('/')[0]} in its apiPaths.`,
        );
      const entry = byPath.get(path) ?? { path, owner: owner.name, methods: [] };
      entry.methods.push({ method, module: name });
      byPath.set(path, entry);
    }
  }
  return [...byPath.values()];
}
