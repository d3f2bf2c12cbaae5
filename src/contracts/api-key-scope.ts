/**
 * What an API key may be allowed; write includes read. `users:admin` is needed beside `users:write` to change other
 * users. From the manifests, by `npm run generate`.
 */
export const API_KEY_SCOPES = [
  'tasks:read',
  'tasks:write',
  'notifications:read',
  'notifications:write',
  'users:read',
  'users:write',
  'users:admin',
] as const;
export type ApiKeyScope = (typeof API_KEY_SCOPES)[number];
