import { Injectable, Logger } from '@nestjs/common';
import { isOfSmsCountry } from '../../../common/phone/sms-countries.js';
import { ProcessEnvironment } from '../../../config/areas/process.environment.js';
import { SmsEnvironment } from '../../../config/areas/sms.environment.js';
import { OneTimeSecrets } from '../../../platform/messaging/one-time-secrets.js';
import type { Claim } from '../../../platform/work/claim.js';
import { collapsedTextOf } from '../collapsed-text.js';
import type { Channel, Outcome } from '../deliveries/channel.js';
import type { Contact } from '../schemas/contact.schema.js';
import type { Delivery } from '../schemas/delivery.schema.js';
import { LogDriver } from './log-driver.js';
import type { SmsDriver } from './sms-driver.js';
import { TwilioDriver } from './twilio-driver.js';
import { WebhookDriver } from './webhook-driver.js';

/** Two parts of an SMS in Unicode; what is longer is paid for several times more. */
const MAX_LENGTH = 134;

/**
 * SMS, to numbers that are verified; only the code that verifies one goes to any other. Their user's address is verified,
 * and their country is one of `SMS_COUNTRIES`.
 */
@Injectable()
export class SmsChannel implements Channel {
  readonly name = 'sms';
  readonly concurrency = 5;
  /** All go to one provider. */
  readonly perReceiver = 5;
  private readonly driver: SmsDriver;

  constructor(
    private readonly environment: SmsEnvironment,
    { NODE_ENV }: ProcessEnvironment,
    private readonly secrets: OneTimeSecrets,
  ) {
    this.driver = driverOf(environment, NODE_ENV === 'production');
    if (environment.SMS_DRIVER !== 'log' && environment.SMS_COUNTRIES.length === 0) {
      new Logger(SmsChannel.name).warn('no SMS is sent: SMS_COUNTRIES names no country');
    }
  }

  async send(delivery: Delivery, contact: Contact | null, claim: Claim): Promise<Outcome> {
    const { _id, user, event, data, to, token, collapsedCount } = delivery;
    const number = to ?? contact?.verifiedPhone;
    if (!number || !contact?.emailVerified) return 'skipped';
    if (!isOfSmsCountry(number, this.environment.SMS_COUNTRIES)) return 'skipped';
    const message = { userId: String(user), event: 'account.phone-verification', to: number } as const;
    const details = token === null ? data : { ...data, code: this.secrets.decrypt(token, message) };
    const { body } = collapsedTextOf(event, details, collapsedCount, contact);
    await claim.assertHeld();
    return await this.driver.send({ id: String(_id), to: number, text: clip(body) });
  }
}

function driverOf(environment: SmsEnvironment, isProduction: boolean): SmsDriver {
  switch (environment.SMS_DRIVER) {
    case 'twilio':
      return new TwilioDriver({
        apiUrl: environment.TWILIO_API_URL,
        sid: environment.TWILIO_ACCOUNT_SID,
        token: environment.TWILIO_AUTH_TOKEN,
        from: environment.TWILIO_FROM,
      });
    case 'webhook':
      return new WebhookDriver(environment.SMS_WEBHOOK_URL, environment.SMS_WEBHOOK_SECRET);
    default:
      return new LogDriver(isProduction);
  }
}

function clip(text: string): string {
  const characters = [...text];
  return characters.length > MAX_LENGTH ? `${characters.slice(0, MAX_LENGTH - 1).join('')}…` : text;
}
