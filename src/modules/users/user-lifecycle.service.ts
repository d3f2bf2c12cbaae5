import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, Types } from 'mongoose';
import { LastAdminError } from '../../common/errors/problem.js';
import type { AccountRegisteredEvent } from '../../contracts/auth.events.js';
import type { Role } from '../../contracts/role.js';
import { RoleChangedEvent, UserDeletedEvent } from '../../contracts/users.events.js';
import { Transactions } from '../../platform/database/transactions.js';
import { Outbox } from '../../platform/messaging/outbox.js';
import {
  ExportsPersonalData,
  PersonalData,
  type PersonalDataSource,
} from '../../platform/personal-data/personal-data.js';
import { ObjectRemovals } from '../../platform/storage/object-removals.js';
import type { UserResponseDto } from './dto/user-response.dto.js';
import { PhoneNumbersService } from './phone/phone-numbers.service.js';
import { avatarPath } from './schemas/avatar.schema.js';
import { DEFAULT_PREFERENCES, User } from './schemas/user.schema.js';
import { UserNotFoundError } from './users.errors.js';
import { UsersService, type Versioned } from './users.service.js';

/** How a profile begins, follows its account, gets a role, and ends. */
@ExportsPersonalData('users')
@Injectable()
export class UserLifecycleService implements PersonalDataSource {
  constructor(
    @InjectModel(User.name) private readonly users: Model<User>,
    private readonly profiles: UsersService,
    private readonly phoneNumbers: PhoneNumbersService,
    private readonly personalData: PersonalData,
    private readonly transactions: Transactions,
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

  /** @throws UserNotFoundError, LastAdminError */
  async setRole(id: string, role: Role, actorId: string): Promise<Versioned<UserResponseDto>> {
    return await this.transactions.run(async (session) => {
      const before = await this.get(id, session);
      if (before.role === role) return { version: before.version, body: this.profiles.toResponse(before) };
      if (before.role === 'admin') await this.assertNotLastAdmin(before, session);
      const user = await this.profiles.change(id, 'any', session, { role });
      await this.outbox.add(session, new RoleChangedEvent(id, { version: user.version, role, actorId }));
      return { version: user.version, body: this.profiles.toResponse(user) };
    });
  }

  /** @throws UserNotFoundError, LastAdminError */
  async delete(id: string, actorId: string): Promise<void> {
    await this.transactions.run(async (session) => {
      const user = await this.get(id, session);
      if (user.role === 'admin') await this.assertNotLastAdmin(user, session);
      await this.erase(id, actorId, session);
    });
  }

  /** Erases the profile, and has every other module erase what it holds. */
  async erase(id: string, actorId: string, session: ClientSession): Promise<void> {
    await this.erasePersonalData(id, session);
    await this.personalData.markErased(id, session);
    await this.outbox.add(session, new UserDeletedEvent(id, { deletedAt: new Date().toISOString(), actorId }));
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

  private async get(id: string, session: ClientSession): Promise<User> {
    const user = await this.users.findById(id, null, { session }).lean();
    if (!user) throw new UserNotFoundError();
    return user;
  }

  /**
   * Makes sure, to the end of the transaction, that an administrator stays when this one goes: two that go at once both
   * write to the one they count on, so one of them has to think again.
   */
  private async assertNotLastAdmin({ _id }: User, session: ClientSession): Promise<void> {
    const other = await this.users
      .findOneAndUpdate({ role: 'admin', _id: { $ne: _id } }, { $set: { countedOnAt: new Date() } }, { session })
      .lean();
    if (!other) throw new LastAdminError();
  }
}
