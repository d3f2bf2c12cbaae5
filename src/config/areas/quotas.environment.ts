import { Whole } from '../variable-decorators.js';

/** How many messages are sent. */
export class QuotasEnvironment {
  @Whole('a number of SMS', 0)
  readonly QUOTA_SMS_PER_DAY: number = 20;

  @Whole('a number of mails', 0)
  readonly QUOTA_MAILS_PER_DAY: number = 100;

  @Whole('a number of pushes', 0)
  readonly QUOTA_PUSHES_PER_DAY: number = 500;

  @Whole('a number of mails', 1)
  readonly QUOTA_LINK_MAILS_PER_HOUR: number = 3;

  @Whole('a number of SMS', 0)
  readonly QUOTA_ALL_SMS_PER_DAY: number = 1000;

  @Whole('a whole number of percent', 0, 100)
  readonly QUOTA_SMS_CODES_PERCENT: number = 20;
}
