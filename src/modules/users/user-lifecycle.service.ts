import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, Types } from 'mongoose';
import type { AccountRegisteredEvent } from '../../contracts/auth.events.js';
import { UserDeletedEvent } from '../../contracts/users.events.js';
import { databaseDate } from '../../platform/database/database-clock.js';
import { Outbox } from '../../platform/messaging/outbox.js';
import {
  ExportsPersonalData,
  PersonalData,
  type PersonalDataSource,
} from '../../platform/personal-data/personal-data.js';
import { ObjectRemovals } from '../../platform/storage/object-removals.js';
import { PhoneNumbersService } from './phone/phone-numbers.service.js';
import { avatarPath } from './schemas/avatar.schema.js';
import { DEFAULT_PREFERENCES, User } from './schemas/user.schema.js';
import { UserNotFoundError } from './users.errors.js';
import { UsersService } from './users.service.js';

/** How a profile begins, follows its account, and ends. */
@ExportsPersonalData('users')
@Injectable()
export class UserLifecycleService implements PersonalDataSource {
  constructor(
    @InjectModel(User.name) private readonly users: Model<User>,
    private readonly profiles: UsersService,
    private readonly phoneNumbers: PhoneNumbersService,
    private readonly personalData: PersonalData,
    private readonly outbox: Outbox,
    private readonly removals: ObjectRemovals,
  ) {}

  /** Makes the profile of a new account, unless its owner is gone already. */
  async create(
    id: string,
    { name, email, emailVerified, role, registeredAt }: AccountRegisteredEvent['data'],
    tx: ClientSession,
  ): Promise<void> {
    if (await this.personalData.isErased(id, tx)) return;
    const createdAt = new Date(registeredAt);
    const profile = { name, nameKey: name.toLowerCase(), email, emailVerified, role, createdAt, updatedAt: createdAt };
    const _id = new Types.ObjectId(id);
    await this.users.create([{ ...profile, _id, preferences: DEFAULT_PREFERENCES }], { session: tx });
  }

  /**
   * Applies a newer verified address of the account's; an older one is ignored.
   *
   * @throws UserNotFoundError where the profile isn't there yet: the event comes again
   */
  async copyEmail(id: string, email: string, emailVersion: number, tx: ClientSession): Promise<void> {
    if (await this.personalData.isErased(id, tx)) return;
    const user = await this.users.findById(id, null, { session: tx }).lean();
    if (!user) throw new UserNotFoundError();
    if (user.emailVersion >= emailVersion) return;
    await this.profiles.change(id, 'any', { email, emailVerified: true, emailVersion }, tx);
  }

  /** Erases the profile, and has every other module erase what it holds. */
  async erase(
    id: string,
    { actorId, actor }: Pick<UserDeletedEvent['data'], 'actorId' | 'actor'>,
    tx: ClientSession,
  ): Promise<void> {
    await this.erasePersonalData(id, tx);
    await this.personalData.markErased(id, tx);
    const deletedAt = databaseDate().toISOString();
    await this.outbox.add([new UserDeletedEvent(id, { deletedAt, actorId, ...(actor && { actor }) })], tx);
  }

  async erasePersonalData(userId: string, tx: ClientSession): Promise<void> {
    await this.users.deleteOne({ _id: userId }, { session: tx });
    await this.phoneNumbers.forget(userId, tx);
    await this.removals.add(avatarPath(userId), databaseDate(), tx);
  }

  async exportPersonalData(userId: string): Promise<unknown> {
    const user = await this.users.findById(userId).lean();
    if (!user) return null;
    const { preferences, phoneVerified } = user;
    return { profile: this.profiles.toResponse(user), phoneVerified, preferences };
  }
}
