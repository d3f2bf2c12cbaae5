/** From the manifests, by `npm run generate`. */
export const CACHE_SCOPES = ['tasks', 'notifications'] as const;

/** What a group of routes caches together, and one write makes unreachable together. A scope belongs to one module. */
export type CacheScope = (typeof CACHE_SCOPES)[number];
