/** Those of the browsers: Chrome, Firefox, Safari, Edge. */
const PUSH_SERVICES =
  /(^|\.)(fcm\.googleapis\.com|push\.services\.mozilla\.com|push\.apple\.com|notify\.windows\.com)$/;

/**
 * Whose line a message waits in, so that a slow one holds up none of the others: a push service that many share, or else the
 * user. A host of the user's choice is no line of its own, or one with many names would take the places of all.
 */
export function pushReceiver(endpoint: string, userId: string): string {
  const { hostname } = new URL(endpoint);
  return PUSH_SERVICES.test(hostname) ? hostname : `user:${userId}`;
}
