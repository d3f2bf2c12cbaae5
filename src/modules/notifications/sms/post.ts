import { DeliveryDelayedError } from '../deliveries/delivery-errors.js';

const TIMEOUT_MS = 15_000;

/** Not the message's fault: our credentials, an address that leads nowhere, too much at once. */
const ABOUT_US = new Set([401, 403, 404, 408, 429]);

/**
 * Hands a message to an SMS provider.
 *
 * @returns an answer that is about the message: accepted (2xx) or refused
 * @throws DeliveryDelayedError for everything else
 */
export async function postToProvider(url: string, headers: Record<string, string>, body: string): Promise<Response> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal }).catch(
    (error: Error) => {
      throw new DeliveryDelayedError('unreachable', 'carrier', error.cause ?? error);
    },
  );
  const { status } = response;
  const isAnswer = response.ok || (status >= 400 && status < 500 && !ABOUT_US.has(status));
  if (isAnswer) return response;
  await response.body?.cancel();
  const seconds = Number(response.headers.get('retry-after'));
  const error = new Error(`the SMS provider answered ${status}`);
  throw new DeliveryDelayedError('unreachable', 'carrier', error, seconds > 0 ? seconds * 1000 : 0);
}
