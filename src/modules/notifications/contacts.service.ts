import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, Types } from 'mongoose';
import type { AccountRegisteredEvent, AccountState } from '../../contracts/auth.events.js';
import type { NotificationPreferences, ProfileChangedEvent } from '../../contracts/users.events.js';
import { databaseDate } from '../../platform/database/database-clock.js';
import { PersonalData } from '../../platform/personal-data/personal-data.js';
import { Contact } from './schemas/contact.schema.js';

/** The account's version right after the registration. */
const FIRST_VERSION = 1;
/** How long the verification of an address may take to arrive, in milliseconds. */
const VERIFICATION_WAIT_MS = 1000;
const VERIFICATION_POLL_MS = 50;

/** Keeps this module's copy of how users want to be reached; an older event never replaces a newer one. */
@Injectable()
export class ContactsService {
  constructor(
    @InjectModel(Contact.name) private readonly contacts: Model<Contact>,
    private readonly personalData: PersonalData,
  ) {}

  async find(userId: Types.ObjectId | string, tx: ClientSession | null = null): Promise<Contact | null> {
    return await this.contacts.findById(userId, null, { session: tx }).lean();
  }

  /** @returns whether the address is verified; waits a second for a verification that may be on its way */
  async awaitVerified(userId: string): Promise<boolean> {
    const deadline = Date.now() + VERIFICATION_WAIT_MS;
    for (;;) {
      if ((await this.find(userId))?.emailVerified) return true;
      if (Date.now() >= deadline) return false;
      await delay(VERIFICATION_POLL_MS);
    }
  }

  /** @throws Error where the proof of the address is still on its way: the event that needs it comes again */
  async assertVerified(userId: string, tx: ClientSession): Promise<void> {
    const contact = await this.find(userId, tx);
    if (contact && !contact.emailVerified) throw new Error("the proof of the address hasn't arrived yet");
  }

  async register(userId: string, account: AccountRegisteredEvent['data'], tx: ClientSession): Promise<void> {
    const { name, email, emailVerified } = account;
    await this.change(
      userId,
      (contact) => ({
        ...(contact.emailVersion < FIRST_VERSION && { email, emailVerified, emailVersion: FIRST_VERSION }),
        ...(contact.name === undefined && { name }),
      }),
      tx,
    );
  }

  /** Applies a newer verified address. */
  async copyEmail(userId: string, email: string, emailVersion: number, tx: ClientSession): Promise<void> {
    await this.change(
      userId,
      (contact) => (contact.emailVersion < emailVersion ? { email, emailVerified: true, emailVersion } : {}),
      tx,
    );
  }

  async copyProfile(
    userId: string,
    { name, locale, timezone, verifiedPhone = null, version }: ProfileChangedEvent['data'],
    tx: ClientSession,
  ): Promise<void> {
    await this.change(
      userId,
      (contact) =>
        contact.profileVersion < version
          ? {
              ...{ name, locale, timezone, verifiedPhone, profileVersion: version },
              ...(verifiedPhone !== contact.verifiedPhone && {
                phoneVerifiedAt: verifiedPhone ? databaseDate() : null,
              }),
            }
          : {},
      tx,
    );
  }

  async copyPreferences(
    userId: string,
    preferences: NotificationPreferences,
    version: number,
    tx: ClientSession,
  ): Promise<void> {
    await this.change(
      userId,
      (contact) => (contact.preferencesVersion < version ? { preferences, preferencesVersion: version } : {}),
      tx,
    );
  }

  /** Applies whether the user is suspended; an older decision is ignored. */
  async copySuspension(userId: string, { status, version }: AccountState, tx: ClientSession): Promise<void> {
    await this.change(
      userId,
      (contact) =>
        contact.suspensionVersion < version ? { suspended: status === 'suspended', suspensionVersion: version } : {},
      tx,
    );
  }

  /** Writes into the contact, if it has arrived, so that of two subscriptions that are made at once one sees the other. */
  async noteSubscription(userId: string, tx: ClientSession): Promise<void> {
    await this.contacts.updateOne({ _id: userId }, { $set: { subscribedAt: databaseDate() } }, { session: tx });
  }

  /** Has further events of a type collected until then; of two events at once, one finds that the other was first. */
  async openBurst(userId: string, key: string, until: Date, tx: ClientSession): Promise<void> {
    await this.contacts.updateOne({ _id: userId }, { $set: { [`burstsUntil.${key}`]: until } }, { session: tx });
  }

  async remove(userId: string, tx: ClientSession): Promise<void> {
    await this.contacts.deleteOne({ _id: userId }, { session: tx });
  }

  /** @param changesOf gives the fields that change in the current contact */
  private async change(
    userId: string,
    changesOf: (contact: Contact) => Partial<Contact>,
    tx: ClientSession,
  ): Promise<void> {
    if (await this.personalData.isErased(userId, tx)) return;
    const known = await this.contacts.findById(userId, null, { session: tx });
    const contact = known ?? new this.contacts({ _id: new Types.ObjectId(userId) });
    contact.set(changesOf(contact));
    await contact.save({ session: tx });
  }
}
