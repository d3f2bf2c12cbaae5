import { Transform } from 'class-transformer';
import { IsIn, Matches, Validate, ValidateIf } from 'class-validator';
import { IsCountry } from '../country-constraint.js';
import { toList } from '../parse.js';
import { HttpUrl } from '../variable-decorators.js';

const byTwilio = ({ SMS_DRIVER }: SmsEnvironment) => SMS_DRIVER === 'twilio';
const byWebhook = ({ SMS_DRIVER }: SmsEnvironment) => SMS_DRIVER === 'webhook';

/** SMS: by whom they are sent, and to which countries. */
export class SmsEnvironment {
  @IsIn(['log', 'twilio', 'webhook'], { message: 'must be log, twilio or webhook' })
  readonly SMS_DRIVER: 'log' | 'twilio' | 'webhook' = 'log';

  @ValidateIf(byTwilio)
  @Matches(/^AC[0-9a-f]{32}$/i, { message: "must be the account's SID, which begins with AC" })
  readonly TWILIO_ACCOUNT_SID!: string;

  @ValidateIf(byTwilio)
  @Matches(/^[!-~]{16,}$/, { message: "must be the account's auth token" })
  readonly TWILIO_AUTH_TOKEN!: string;

  @ValidateIf(byTwilio)
  @Matches(/^(\+[1-9]\d{4,14}|MG[0-9a-f]{32})$/i, {
    message: 'must be the number to send from, such as +436601234567, or the SID of a messaging service (MG…)',
  })
  readonly TWILIO_FROM!: string;

  @Matches(/^https?:\/\/[^\s/?#]+$/, { message: 'must be an address without a path, such as https://api.twilio.com' })
  readonly TWILIO_API_URL: string = 'https://api.twilio.com';

  @ValidateIf(byWebhook)
  @HttpUrl('must be the http(s) address that takes SMS')
  readonly SMS_WEBHOOK_URL!: string;

  @ValidateIf(byWebhook)
  @Matches(/^(whsec_)?[A-Za-z0-9+/]{32,}={0,2}$/, {
    message: 'must be a random secret in base64, of at least 24 bytes; make one with: openssl rand -base64 32',
  })
  readonly SMS_WEBHOOK_SECRET!: string;

  @Transform(toList)
  @Validate(IsCountry, { each: true })
  readonly SMS_COUNTRIES: string[] = [];
}
