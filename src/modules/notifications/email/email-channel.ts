import { Injectable } from '@nestjs/common';
import { SecretBox } from '../../../common/crypto/secret-box.js';
import { unsubscribeUrl } from '../../../common/crypto/unsubscribe-link.js';
import { HttpEnvironment } from '../../../config/areas/http.environment.js';
import { OneTimeSecrets } from '../../../platform/messaging/one-time-secrets.js';
import type { Claim } from '../../../platform/work/claim.js';
import { collapsedTextOf } from '../collapsed-text.js';
import type { Channel, Outcome } from '../deliveries/channel.js';
import { InboxService } from '../inbox.service.js';
import { isAboutAccount, languageOf, type NotificationText } from '../notification-texts.js';
import type { Contact } from '../schemas/contact.schema.js';
import type { Delivery } from '../schemas/delivery.schema.js';
import { renderEmail } from './email-template.js';
import { Mailer } from './mailer.js';
import { toDeliveryError } from './smtp-errors.js';

/** Mails, to addresses that are verified; only what is about one address alone (`Delivery.to`) goes to any other. */
@Injectable()
export class EmailChannel implements Channel {
  readonly name = 'email';
  readonly concurrency = 10;
  readonly perReceiver = 3;

  constructor(
    private readonly mailer: Mailer,
    private readonly inbox: InboxService,
    private readonly box: SecretBox,
    private readonly secrets: OneTimeSecrets,
    private readonly environment: HttpEnvironment,
  ) {}

  async send(delivery: Delivery, contact: Contact | null, claim: Claim): Promise<Outcome> {
    const { _id, user, event } = delivery;
    const to = delivery.to ?? (contact?.emailVerified ? contact.email : undefined);
    if (to === undefined) return 'skipped';
    const listed = delivery.collapsedCount > 1 ? delivery.collapsed : delivery.digestOf;
    const items = listed.length > 0 ? await this.inbox.findTexts(String(user), listed) : undefined;
    if (items?.length === 0) return 'skipped';

    const unsubscribe = isAboutAccount(event)
      ? undefined
      : unsubscribeUrl(this.environment.PUBLIC_URL, this.box, String(user));
    const mail = this.render(delivery, { to, contact, items, unsubscribe });
    // A lease that is lost, or a database that doesn't answer, is no fault of the carrier.
    let ownFailure: Error | undefined;
    const beforeMessage = () =>
      claim.assertHeld().catch((error: Error) => {
        ownFailure = error;
        throw error;
      });
    await this.mailer.send({ id: String(_id), to, unsubscribe, ...mail, beforeMessage }).catch((error: unknown) => {
      throw ownFailure ?? toDeliveryError(error);
    });
    return 'delivered';
  }

  private render(
    delivery: Delivery,
    mail: { to: string; contact: Contact | null; items?: NotificationText[]; unsubscribe?: string },
  ) {
    const { event, data, digestOf, collapsedCount } = delivery;
    const { to, contact, items, unsubscribe } = mail;
    const language = languageOf(contact?.locale);
    // Never a user's own text to an address that nobody has confirmed.
    const name = contact?.emailVerified && to === contact.email ? contact.name : undefined;
    const details = items && digestOf.length > 0 ? { count: String(items.length) } : data;
    const text = collapsedTextOf(event, details, collapsedCount, contact ?? {});
    return renderEmail(text, { language, name, items, link: this.linkOf(delivery, to), unsubscribe });
  }

  private linkOf({ user, event, token }: Delivery, to: string): string | undefined {
    if (token === null) return undefined;
    const isReset = event === 'account.password-reset';
    const message = isReset ? 'account.password-reset' : 'account.email-verification';
    const clear = this.secrets.decrypt(token, { userId: String(user), event: message, to });
    return `${this.environment.PUBLIC_URL}/${isReset ? 'reset-password' : 'verify-email'}#token=${clear}`;
  }
}
