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
    session: ClientSession,
  ): Promise<void> {
    if (await this.personalData.isErased(id, session)) return;
    const createdAt = new Date(registeredAt);
    const profile = { name, nameKey: name.toLowerCase(), email, emailVerified, role, createdAt, updatedAt: createdAt };
    const _id = new Types.ObjectId(id);
    await this.users.create([{ ...profile, _id, preferences: DEFAULT_PREFERENCES }], { session });
  }

  /**
   * Applies a newer verified address of the account's; an older one is ignored.
   *
   * @throws UserNotFoundError where the profile isn't there yet: the event comes again
   */
  async copyEmail(id: string, email: string, emailVersion: number, session: ClientSession): Promise<void> {
    if (await this.personalData.isErased(id, session)) return;
    const user = await this.users.findById(id, null, { session }).lean();
    if (!user) throw new UserNotFoundError();
    if (user.emailVersion >= emailVersion) return;
    await this.profiles.change(id, 'any', session, { email, emailVerified: true, emailVersion });
  }

  /** Erases the profile, and has every other module erase what it holds. */
  async erase(
    id: string,
    { actorId, actor }: Pick<UserDeletedEvent['data'], 'actorId' | 'actor'>,
    session: ClientSession,
  ): Promise<void> {
    await this.erasePersonalData(id, session);
    await this.personalData.markErased(id, session);
    const deletedAt = databaseDate().toISOString();
    await this.outbox.add(session, new UserDeletedEvent(id, { deletedAt, actorId, ...(actor && { actor }) }));
  }

  async erasePersonalData(userId: string, session: ClientSession): Promise<void> {
    await this.users.deleteOne({ _id: userId }, { session });
    await this.phoneNumbers.forget(userId, session);
    await this.removals.add(session, avatarPath(userId));
  }

  async exportPersonalData(userId: string): Promise<unknown> {
    const user = await this.users.findById(userId).lean();
    if (!user) return null;
    const { preferences, phoneVerified } = user;
    return { profile: this.profiles.toResponse(user), phoneVerified, preferences };
  }
}
