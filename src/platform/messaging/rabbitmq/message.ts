import type { Message, Options } from 'amqplib';

/** Header: how many attempts at this message have failed. */
const ATTEMPTS = 'x-attempts';

export function attemptsAt({ properties }: Message): number {
  return Number(properties.headers?.[ATTEMPTS] ?? 0);
}

/** What a message is sent on with: as it was, but for how often it has failed. */
export function sendingOn({ properties }: Message, attempts: number): Options.Publish {
  const { contentType, messageId, type } = properties as unknown as Record<string, string>;
  return { contentType, messageId, type, persistent: true, headers: { [ATTEMPTS]: attempts } };
}
