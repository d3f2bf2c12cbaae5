import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { createTransport } from 'nodemailer';
import { Environment } from '../../../config/environment.js';

const CONNECTION_TIMEOUT_MS = 10_000;
/**
 * RFC 5321, 4.5.3.2.6: so long may a server think about a message that it has received. Who doesn't wait for the answer sends
 * again what was accepted.
 */
const ANSWER_TIMEOUT_MS = 10 * 60_000;
const MAX_CONNECTIONS = 10;

export interface Mail {
  /** Makes the `Message-ID`, the same for each attempt, so that receivers can tell a repetition. */
  id: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  /** Where a POST ends such mails (RFC 8058); undefined for mails that can't be ended. */
  unsubscribe?: string | undefined;
}

/** Hands mails to the SMTP server of `SMTP_URL`. */
@Injectable()
export class Mailer implements OnApplicationShutdown {
  private readonly transport;

  constructor(private readonly environment: Environment) {
    this.transport = createTransport({
      url: environment.SMTP_URL,
      pool: true,
      maxConnections: MAX_CONNECTIONS,
      // Otherwise the pool itself sends again what was under way when a connection closed.
      maxRequeues: 0,
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      greetingTimeout: CONNECTION_TIMEOUT_MS,
      socketTimeout: ANSWER_TIMEOUT_MS,
    });
  }

  /** Resolves once the server has accepted the mail. @throws what the connection or the server's refusal was */
  async send({ id, to, subject, text, html, unsubscribe }: Mail): Promise<void> {
    const domain = new URL(this.environment.PUBLIC_URL).hostname;
    await this.transport.sendMail({
      from: this.environment.MAIL_FROM,
      messageId: `<${id}@${domain}>`,
      // An object, not a header line: an address can't smuggle in a second one.
      to: { name: '', address: to },
      subject,
      text,
      html,
      headers: unsubscribe
        ? { 'List-Unsubscribe': `<${unsubscribe}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }
        : {},
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  /** After the deliveries have finished what they hold. */
  onApplicationShutdown(): void {
    this.transport.close();
  }
}
