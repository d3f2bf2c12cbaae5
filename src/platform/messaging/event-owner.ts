/** An event as far as it says whom it is about. */
export interface AboutSomebody {
  type: string;
  subject: string;
  data: unknown;
}

/** The user whom an event is about: `data.userId`, or else its subject, as events about accounts have it. */
export function ownerOf({ subject, data }: AboutSomebody): string {
  const owner = (data as { userId?: unknown } | null)?.userId;
  return typeof owner === 'string' ? owner : subject;
}
