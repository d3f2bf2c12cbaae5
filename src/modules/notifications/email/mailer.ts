import { Injectable } from '@nestjs/common';
import { createTransport } from 'nodemailer';
import { Environment } from '../../../config/environment.js';

const CONNECTION_TIMEOUT_MS = 10_000;
const SOCKET_TIMEOUT_MS = 30_000;

export interface Mail {
  /** Makes the `Message-ID`, the same for each attempt, so that receivers can tell a repetition. */
  id: string;
  to: string;
  subject: string;
  text: string;
  html: string;
}

/** Hands mails to the SMTP server of `SMTP_URL`. */
@Injectable()
export class Mailer {
  private readonly transport;

  constructor(private readonly environment: Environment) {
    this.transport = createTransport({
      url: environment.SMTP_URL,
      pool: true,
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      greetingTimeout: CONNECTION_TIMEOUT_MS,
      socketTimeout: SOCKET_TIMEOUT_MS,
    });
  }

  /** Resolves once the server has accepted the mail. @throws what the connection or the server's refusal was */
  async send({ id, to, subject, text, html }: Mail): Promise<void> {
    const domain = new URL(this.environment.PUBLIC_URL).hostname;
    await this.transport.sendMail({
      from: this.environment.MAIL_FROM,
      messageId: `<${id}@${domain}>`,
      // An object, not a header line: an address can't smuggle in a second one.
      to: { name: '', address: to },
      subject,
      text,
      html,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  close(): void {
    this.transport.close();
  }
}
