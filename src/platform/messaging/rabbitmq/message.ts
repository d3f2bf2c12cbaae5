import type { Message, Options } from 'amqplib';
import type { CloudEvent } from '../../../contracts/event.js';

/** Header: how many attempts at this message have failed. */
const ATTEMPTS = 'x-attempts';

export function attemptsAt({ properties }: Message): number {
  return Number(properties.headers?.[ATTEMPTS] ?? 0);
}

/** What a message is sent on with: as it was, but for how often it has failed. */
export function sendingOn({ properties }: Message, attempts: number): Options.Publish {
  const { contentType, messageId, type, priority } = properties as unknown as Options.Publish;
  return { contentType, messageId, type, priority, persistent: true, headers: { [ATTEMPTS]: attempts } };
}

/** @returns undefined for what isn't a CloudEvent */
export function toEvent({ content }: Message): CloudEvent | undefined {
  try {
    const event = JSON.parse(content.toString()) as Partial<CloudEvent> | null;
    const { id, type, subject, data } = event ?? {};
    const texts = [id, type, subject].every((value) => typeof value === 'string');
    return texts && typeof data === 'object' ? (event as CloudEvent) : undefined;
  } catch {
    return undefined;
  }
}
