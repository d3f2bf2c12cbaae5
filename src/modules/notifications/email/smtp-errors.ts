import { DeliveryDelayedError, DeliveryRefusedError } from '../deliveries/delivery-errors.js';

/** What nodemailer adds to its errors. */
interface SmtpError extends Error {
  code?: string;
  /** The server's answer, where there was one. */
  responseCode?: number;
  /** The command it answered to; `API` where nothing was sent. */
  command?: string;
}

/** "Authentication required" (RFC 4954) says something of our credentials, and nothing of the receiver. */
const ABOUT_US = new Set([530, 534, 535, 538]);

/**
 * What a failed attempt to hand over a mail means (RFC 5321, 4.2.1: 4yz is temporary, 5yz is for good). Only an
 * answer to the recipient or to the message ends the delivery; trouble with the connection, the log-in or our own address
 * is everybody's, and no reason to give up a mail.
 */
export function toDeliveryError(error: unknown): DeliveryRefusedError | DeliveryDelayedError {
  const { code, responseCode = 0, command = '' } = error as SmtpError;
  const aboutReceiver = command === 'RCPT TO';
  if (aboutReceiver || command === 'DATA') {
    if (responseCode >= 500 && !ABOUT_US.has(responseCode)) {
      return new DeliveryRefusedError(aboutReceiver ? 'no-receiver' : 'refused', error);
    }
    if (responseCode >= 400 && responseCode < 500) return new DeliveryDelayedError('busy', 'message', error);
  }
  // An address that can't be written in SMTP.
  if (command === 'API' && code === 'EENVELOPE') return new DeliveryRefusedError('no-receiver', error);
  return new DeliveryDelayedError('unreachable', 'carrier', error);
}
