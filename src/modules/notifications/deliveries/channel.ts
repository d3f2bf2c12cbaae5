import type { ChannelName } from '../../../contracts/notification-events.js';
import type { Claim } from '../../../platform/work/claim.js';
import type { Contact } from '../schemas/contact.schema.js';
import type { Delivery } from '../schemas/delivery.schema.js';

/** `skipped`: there is nobody to send it to, such as an address that isn't verified. */
export type Outcome = 'delivered' | 'skipped';

/** A way to reach a user: hands one message over to its carrier. */
export interface Channel {
  readonly name: ChannelName;
  /** How many messages one process hands over at once, and how many of them to one receiver (`Delivery.receiver`). */
  readonly concurrency: number;
  readonly perReceiver: number;

  /**
   * @param claim is asked immediately before the message leaves, so that a process that was paused doesn't repeat what another
   * one has sent meanwhile
   * @throws DeliveryRefusedError, DeliveryDelayedError, ClaimLost
   */
  send(delivery: Delivery, contact: Contact | null, claim: Claim): Promise<Outcome>;
}
