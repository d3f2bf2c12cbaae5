import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Readable } from 'node:stream';
import { createTransport, type SendMailOptions } from 'nodemailer';
import { HttpEnvironment } from '../../../config/areas/http.environment.js';
import { MailEnvironment } from '../../../config/areas/mail.environment.js';
import { ProcessEnvironment } from '../../../config/areas/process.environment.js';

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
  /** Called when the server is ready for the message; where it throws, the message isn't sent. */
  beforeMessage: () => Promise<void>;
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;
const NO_STARTTLS =
  'SMTP_URL leads to a server that offers no STARTTLS, so no mail is sent: give the address of one with TLS, or set SMTP_TLS=optional for a relay on this machine.';
const MAYBE_PLAIN =
  'SMTP_TLS is optional, and the server of SMTP_URL is not on this machine: links in mails may travel unencrypted. Set SMTP_TLS=required.';

/** Hands mails to the SMTP server of `SMTP_URL`, by TLS where `SMTP_TLS` requires it. */
@Injectable()
export class Mailer implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(Mailer.name);
  private readonly transport;
  private readonly requireTLS: boolean;
  private readonly isProduction: boolean;

  constructor(
    private readonly environment: MailEnvironment,
    { NODE_ENV }: ProcessEnvironment,
    private readonly http: HttpEnvironment,
  ) {
    const { SMTP_TLS = NODE_ENV === 'production' ? 'required' : 'optional' } = environment;
    this.isProduction = NODE_ENV === 'production';
    this.requireTLS = SMTP_TLS === 'required';
    this.transport = createTransport({
      url: environment.SMTP_URL,
      pool: true,
      requireTLS: this.requireTLS,
      maxConnections: MAX_CONNECTIONS,
      // Otherwise the pool itself sends again what was under way when a connection closed.
      maxRequeues: 0,
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      greetingTimeout: CONNECTION_TIMEOUT_MS,
      socketTimeout: ANSWER_TIMEOUT_MS,
    });
    this.transport.use('stream', ({ data, message }, done) => {
      const { beforeMessage } = data as Partial<Mail>;
      if (beforeMessage) message.processFunc((content) => Readable.from(contentAfter(beforeMessage, content)));
      done();
    });
  }

  /** Says in the log what is wrong with the server, before a mail waits for it. A server that is down is no reason not to start. */
  onApplicationBootstrap(): void {
    const { protocol, hostname } = new URL(this.environment.SMTP_URL);
    if (protocol === 'smtps:') return;
    if (!this.requireTLS) {
      if (this.isProduction && !LOOPBACK.test(hostname)) this.logger.warn(MAYBE_PLAIN);
      return;
    }
    this.transport.verify().catch((error: unknown) => {
      const { code } = error as { code?: string };
      if (code === 'ETLS') this.logger.error({ err: error }, NO_STARTTLS);
    });
  }

  /** Resolves once the server has accepted the mail. @throws what the connection or the server's refusal was */
  async send({ id, to, subject, text, html, unsubscribe, beforeMessage }: Mail): Promise<void> {
    const domain = new URL(this.http.PUBLIC_URL).hostname;
    const mail: SendMailOptions & Pick<Mail, 'beforeMessage'> = {
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
      beforeMessage,
      disableFileAccess: true,
      disableUrlAccess: true,
    };
    await this.transport.sendMail(mail);
  }

  /** After the deliveries have finished what they hold. */
  onApplicationShutdown(): void {
    this.transport.close();
  }
}

/** Begins only when the content is read for the first time: the connection does so once the server has accepted the envelope. */
async function* contentAfter(begin: () => Promise<void>, content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  await begin();
  yield* content;
}
