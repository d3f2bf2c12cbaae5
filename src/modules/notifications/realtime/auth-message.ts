import { isTimestamp, toReadableTime } from '../../../common/validation/is-timestamp.js';

/** The first message of a client. */
export interface AuthMessage {
  token: string;
  /** The time of the last notification it has seen, in milliseconds; null where it wants new ones alone. */
  since: number | null;
}

/**
 * Reads `{ "type": "auth", "token": "...", "since"?: "..." }`.
 *
 * @returns null for anything else; `invalid since` where only that is wrong
 */
export function parseAuthMessage(text: string): AuthMessage | 'invalid since' | null {
  const message = parseObject(text);
  if (message?.['type'] !== 'auth' || typeof message['token'] !== 'string') return null;
  const { token, since = null } = message;
  if (since === null) return { token, since: null };
  const time = toReadableTime(since);
  return isTimestamp(time) ? { token, since: Date.parse(time) } : 'invalid since';
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? (value as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}
