import { retryAfterMs } from './problem.js';

/** How often and how long a client waits for an answer that may yet come. */
export interface RetryOptions {
  /** How often a request is sent at the most. Default 4. */
  attempts?: number;
  /** The first pause between two attempts, in milliseconds; it doubles each time, and varies by half. Default 300. */
  pauseMs?: number;
  /** The longest `Retry-After` that is waited for, in milliseconds; a longer one is an error. Default 10,000. */
  longestPauseMs?: number;
}

/** These say that the request wasn't carried out, or will be: the first of two equal ones is still running. */
const TRANSIENT = [429, 502, 503, 504];

export const withDefaults = ({ attempts = 4, pauseMs = 300, longestPauseMs = 10_000 }: RetryOptions = {}) => ({
  attempts,
  pauseMs,
  longestPauseMs,
});

/** How long to wait before the next attempt, in milliseconds. */
export function pauseBefore(attempt: number, { pauseMs }: Required<RetryOptions>): number {
  return pauseMs * 2 ** (attempt - 1) * (0.75 + Math.random() / 2);
}

/**
 * How long to wait before the request is sent again, in milliseconds; undefined where the answer is final.
 *
 * @param attempt how often it has been sent
 */
export function pauseAfter(
  response: Response,
  code: string | undefined,
  attempt: number,
  options: Required<RetryOptions>,
): number | undefined {
  const isTransient = TRANSIENT.includes(response.status) || code === 'REQUEST_IN_PROGRESS';
  if (!isTransient || attempt >= options.attempts) return undefined;
  const wanted = retryAfterMs(response);
  if (wanted !== undefined && wanted > options.longestPauseMs) return undefined;
  return Math.max(wanted ?? 0, pauseBefore(attempt, options));
}

/** @throws the signal's reason when it is aborted meanwhile */
export function sleep(ms: number, signal?: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}
