import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import {
  ExportsPersonalData,
  PersonalData,
  type PersonalDataSource,
} from '../../platform/personal-data/personal-data.js';
import { ContactsService } from './contacts.service.js';
import { DeliveriesService } from './deliveries/deliveries.service.js';
import { InboxService } from './inbox.service.js';
import { PushSubscriptionsService } from './push/push-subscriptions.service.js';

/** Export and erasure of all that this module holds of a user. */
@ExportsPersonalData('notifications')
@Injectable()
export class AccountDataService implements PersonalDataSource {
  constructor(
    private readonly contacts: ContactsService,
    private readonly inbox: InboxService,
    private readonly deliveries: DeliveriesService,
    private readonly subscriptions: PushSubscriptionsService,
    private readonly personalData: PersonalData,
  ) {}

  async erase(userId: string, tx: ClientSession): Promise<void> {
    await this.erasePersonalData(userId, tx);
    await this.personalData.markErased(userId, tx);
  }

  async erasePersonalData(userId: string, tx: ClientSession): Promise<void> {
    await this.inbox.removeAll(userId, tx);
    await this.deliveries.removeAll(userId, tx);
    await this.subscriptions.removeAll(userId, tx);
    await this.contacts.remove(userId, tx);
  }

  async exportPersonalData(userId: string): Promise<unknown> {
    const contact = await this.contacts.find(userId);
    const { name, email, emailVerified, verifiedPhone, locale, timezone, preferences } = contact ?? {};
    return {
      contact: contact && { name, email, emailVerified, verifiedPhone, locale, timezone, preferences },
      notifications: this.inbox.exportAll(userId),
      deliveries: this.deliveries.exportAll(userId),
      pushSubscriptions: await this.subscriptions.exportAll(userId),
    };
  }
}
