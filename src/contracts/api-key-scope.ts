/** What an API key may be allowed; write includes read. */
export const API_KEY_SCOPES = [
  'tasks:read',
  'tasks:write',
  'notifications:read',
  'notifications:write',
  'users:read',
  'users:write',
] as const;
export type ApiKeyScope = (typeof API_KEY_SCOPES)[number];
