import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { ClientSession, Model, Types } from 'mongoose';
import { SecretBox } from '../../../common/crypto/secret-box.js';
import { Environment } from '../../../config/environment.js';
import { ONE_TIME_TOKEN } from '../../../contracts/auth.events.js';
import { Transactions } from '../../../platform/database/transactions.js';
import { WorkQueue } from '../../../platform/work/work-queue.js';
import { ContactsService } from '../contacts.service.js';
import { languageOf, type SentEvent, textOf } from '../notification-texts.js';
import { Delivery } from '../schemas/delivery.schema.js';
import { renderEmail } from './email-template.js';
import { Mailer } from './mailer.js';

const CONCURRENCY = 5;
/** With the queue's backoff that is about a day of trying. */
const MAX_ATTEMPTS = 150;

export interface EmailRequest {
  user: Types.ObjectId;
  notification: Types.ObjectId | null;
  event: SentEvent;
  data: Record<string, string>;
  /** Only for mails about one address; see `Delivery.to`. */
  to?: string;
  /** Encrypted one-time token that the mail's link carries. */
  token?: string;
}

/** Mails as durable work: stored with their reason, sent by whichever process is free, until the server has them. */
@Injectable()
export class EmailDeliveries implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(EmailDeliveries.name);
  private readonly queue: WorkQueue<Delivery>;

  constructor(
    @InjectModel(Delivery.name) private readonly deliveries: Model<Delivery>,
    private readonly transactions: Transactions,
    private readonly contacts: ContactsService,
    private readonly mailer: Mailer,
    private readonly box: SecretBox,
    private readonly environment: Environment,
  ) {
    this.queue = new WorkQueue(deliveries, (delivery) => this.send(delivery), {
      name: 'email',
      concurrency: CONCURRENCY,
      maxAttempts: MAX_ATTEMPTS,
      whenDone: 'keep',
    });
  }

  onApplicationBootstrap(): void {
    this.queue.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.queue.stop();
    this.mailer.close();
  }

  /** Sends a mail once the transaction of `session` is committed. */
  async add(request: EmailRequest, session: ClientSession): Promise<void> {
    await this.deliveries.create([{ ...request, channel: 'email' }], { session });
    this.transactions.afterCommit(session, () => this.queue.nudge());
  }

  /** Forgets all mails of a user, those under way included. */
  async removeAll(userId: string, session: ClientSession): Promise<void> {
    await this.deliveries.deleteMany({ user: userId }, { session });
  }

  async exportAll(userId: string): Promise<unknown[]> {
    const deliveries = await this.deliveries.find({ user: userId }).sort({ createdAt: 1 }).lean();
    return deliveries.map(({ event, channel, state, data, createdAt, deliveredAt }) => ({
      event,
      channel,
      state,
      data,
      createdAt,
      deliveredAt,
    }));
  }

  private async send(delivery: Delivery): Promise<void> {
    const { _id, user, event, data, token } = delivery;
    const contact = await this.contacts.find(user);
    const to = delivery.to ?? (contact?.emailVerified ? contact.email : undefined);
    if (to === undefined) {
      this.logger.debug({ delivery: String(_id) }, 'not sent: the address is not verified');
      return;
    }
    const language = languageOf(contact?.locale);
    // Never a user's own text to an address that nobody has confirmed.
    const name = contact?.emailVerified && to === contact.email ? contact.name : undefined;
    const mail = renderEmail(textOf(event, data, language), { language, name, link: this.linkOf(event, token) });
    await this.mailer.send({ id: String(_id), to, ...mail });
    await this.deliveries.updateOne({ _id }, { $set: { deliveredAt: new Date(), token: null } });
  }

  private linkOf(event: SentEvent, token: string | null): string | undefined {
    if (token === null) return undefined;
    const clear = this.box.decrypt(ONE_TIME_TOKEN, token);
    if (clear === null) throw new Error('the token was encrypted with a secret that APP_SECRETS has no more');
    const page = event === 'account.password-reset' ? 'reset-password' : 'verify-email';
    return `${this.environment.PUBLIC_URL}/${page}#token=${clear}`;
  }
}
