import type { Outcome } from '../deliveries/channel.js';

export interface Sms {
  /** The same for each attempt. */
  id: string;
  /** E.164 */
  to: string;
  text: string;
}

/** A provider that sends SMS. */
export interface SmsDriver {
  /** @throws DeliveryRefusedError, DeliveryDelayedError */
  send(sms: Sms): Promise<Outcome>;
}
