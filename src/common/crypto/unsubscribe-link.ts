import type { SecretBox } from './secret-box.js';

const PURPOSE = 'email-unsubscribe';

/** The address by which the receiver of a mail unsubscribes, without a log-in. It is signed, so nobody else can make one. */
export function unsubscribeUrl(publicUrl: string, box: SecretBox, userId: string): string {
  return `${publicUrl}/unsubscribe?token=${userId}.${box.sign(PURPOSE, userId)}`;
}

/** @returns the user whose mails such an address ends; null for a token that wasn't made here */
export function userOfUnsubscribeToken(box: SecretBox, token: string): string | null {
  const [userId = '', signature = ''] = token.split('.', 2);
  return box.verify(PURPOSE, userId, signature) ? userId : null;
}
