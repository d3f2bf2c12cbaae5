import type { SecretBox } from './secret-box.js';

const PURPOSE = 'email-unsubscribe';

/** Where whoever has the mail can end such mails, without a log-in: nobody else can make this address. */
export function unsubscribeUrl(publicUrl: string, box: SecretBox, userId: string): string {
  return `${publicUrl}/unsubscribe?token=${userId}.${box.sign(PURPOSE, userId)}`;
}

/** @returns the user whose mails such an address ends; null for a token that wasn't made here */
export function userOfUnsubscribeToken(box: SecretBox, token: string): string | null {
  const [userId = '', signature = ''] = token.split('.', 2);
  return box.verify(PURPOSE, userId, signature) ? userId : null;
}
