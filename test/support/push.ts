import { createECDH, randomBytes } from 'node:crypto';

/** The keys that a browser makes for a subscription. */
export function newPushKeys(): { p256dh: string; auth: string } {
  const pair = createECDH('prime256v1');
  return { p256dh: pair.generateKeys('base64url'), auth: randomBytes(16).toString('base64url') };
}
