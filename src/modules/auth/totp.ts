import { Secret, TOTP } from 'otpauth';

const ISSUER = 'scalable-api';
/** RFC 6238: what authenticator applications assume. */
const PERIOD_SECONDS = 30;
const DIGITS = 6;
/** A code of the step before or after is accepted too: clocks differ. */
const WINDOW = 1;

/** @param secret base32 */
export function totpOf(secret: string, label: string): TOTP {
  return new TOTP({
    issuer: ISSUER,
    label,
    secret: Secret.fromBase32(secret),
    period: PERIOD_SECONDS,
    digits: DIGITS,
    algorithm: 'SHA1',
  });
}

/**
 * @param now in milliseconds, by the one clock that all instances share: a step that has been used is stored
 * @returns the time step whose code it is; null for a wrong code, and one of a step not after `lastStep`
 */
export function matchingStep(secret: string, code: string, lastStep: number, now: number): number | null {
  const delta = totpOf(secret, '').validate({ token: code, timestamp: now, window: WINDOW });
  if (delta === null) return null;
  const step = Math.floor(now / 1000 / PERIOD_SECONDS) + delta;
  return step > lastStep ? step : null;
}
