import { Logger } from '@nestjs/common';
import type { Outcome } from '../deliveries/channel.js';
import type { Sms, SmsDriver } from './sms-driver.js';

/**
 * Sends nothing. In development the log holds the message instead; in production, where numbers and codes have no place in a
 * log, only that there was one.
 */
export class LogDriver implements SmsDriver {
  private readonly logger = new Logger(LogDriver.name);

  constructor(private readonly inProduction: boolean) {
    if (inProduction) this.logger.warn('no SMS is sent: SMS_DRIVER is log');
  }

  send({ id, to, text }: Sms): Promise<Outcome> {
    this.logger.log(this.inProduction ? `an SMS was not sent: ${id}` : `SMS to ${to}: ${text}`);
    return Promise.resolve(this.inProduction ? 'skipped' : 'delivered');
  }
}
