// Written by npm run generate:client, from the OpenAPI document. Changes are lost.
/** The paths of the POST requests that the service carries out once for each `Idempotency-Key`. */
export const IDEMPOTENT_POSTS = [
  '/api/v1/users/me/avatar',
  '/api/v1/tasks',
  '/api/v1/tasks/bulk',
  '/api/v1/tasks/{id}/attachments',
  '/api/v1/notifications/push/subscriptions',
];
