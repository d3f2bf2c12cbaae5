import type { Outcome } from '../deliveries/channel.js';
import { DeliveryDelayedError, DeliveryRefusedError } from '../deliveries/delivery-errors.js';
import { postToProvider } from './post.js';
import type { Sms, SmsDriver } from './sms-driver.js';

/** https://www.twilio.com/docs/api/errors: the number doesn't exist, or can't or won't get our messages. */
const NO_RECEIVER = new Set([21211, 21408, 21610, 21612, 21614]);
/** The sender is wrong; only the operator can fix that. */
const ABOUT_US = new Set([21212, 21603, 21606, 21659, 21660, 21703, 21704]);

export interface TwilioAccount {
  apiUrl: string;
  sid: string;
  token: string;
  /** A number, or the id of a messaging service (`MG…`). */
  from: string;
}

/** Twilio's Messages API (https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource). */
export class TwilioDriver implements SmsDriver {
  constructor(private readonly account: TwilioAccount) {}

  async send({ to, text }: Sms): Promise<Outcome> {
    const { apiUrl, sid, token, from } = this.account;
    const sender = from.startsWith('MG') ? 'MessagingServiceSid' : 'From';
    const response = await postToProvider(
      `${apiUrl}/2010-04-01/Accounts/${sid}/Messages.json`,
      {
        Authorization: `Basic ${Buffer.from(`${sid}:${token}`).toString('base64')}`,
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      new URLSearchParams({ To: to, [sender]: from, Body: text }).toString(),
    );
    const code = await codeOf(response);
    if (response.ok) return 'delivered';
    // Its message is kept out of the log: it quotes the number.
    const error = new Error(`Twilio answered ${response.status} with code ${code}`);
    if (ABOUT_US.has(code)) throw new DeliveryDelayedError('unreachable', 'carrier', error);
    throw new DeliveryRefusedError(NO_RECEIVER.has(code) ? 'no-receiver' : 'refused', error);
  }
}

async function codeOf(response: Response): Promise<number> {
  const body = (await response.json().catch(() => null)) as { code?: unknown } | null;
  return Number(body?.code ?? 0);
}
