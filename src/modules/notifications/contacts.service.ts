import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, Types } from 'mongoose';
import type { AccountRegisteredEvent } from '../../contracts/auth.events.js';
import type { NotificationPreferences } from '../../contracts/users.events.js';
import { Contact } from './schemas/contact.schema.js';

/** Keeps this module's copy of how users want to be reached; older news never replaces newer. */
@Injectable()
export class ContactsService {
  constructor(@InjectModel(Contact.name) private readonly contacts: Model<Contact>) {}

  async find(userId: Types.ObjectId, session: ClientSession | null = null): Promise<Contact | null> {
    return await this.contacts.findById(userId, null, { session }).lean();
  }

  async register(userId: string, account: AccountRegisteredEvent['data'], session: ClientSession): Promise<void> {
    const contact = await this.getOrNew(userId, session);
    contact.email = account.email;
    contact.emailVerified ||= account.emailVerified;
    contact.name ??= account.name;
    await contact.save({ session });
  }

  async verifyEmail(userId: string, email: string, session: ClientSession): Promise<void> {
    const contact = await this.getOrNew(userId, session);
    contact.email ??= email;
    if (contact.email === email) contact.emailVerified = true;
    await contact.save({ session });
  }

  async copyName(userId: string, name: string, version: number, session: ClientSession): Promise<void> {
    const contact = await this.getOrNew(userId, session);
    if (contact.profileVersion >= version) return;
    contact.set({ name, profileVersion: version });
    await contact.save({ session });
  }

  async copyPreferences(
    userId: string,
    preferences: NotificationPreferences,
    version: number,
    session: ClientSession,
  ): Promise<void> {
    const contact = await this.getOrNew(userId, session);
    if (contact.preferencesVersion >= version) return;
    contact.set({ preferences, preferencesVersion: version });
    await contact.save({ session });
  }

  private async getOrNew(userId: string, session: ClientSession) {
    const known = await this.contacts.findById(userId, null, { session });
    return known ?? new this.contacts({ _id: new Types.ObjectId(userId) });
  }
}
