import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, type QueryFilter } from 'mongoose';
import type { Actor } from '../../common/auth/actor.js';
import { DependencyUnavailableError, EmailUnverifiedError, ProblemError } from '../../common/errors/problem.js';
import { DatabaseEnvironment } from '../../config/areas/database.environment.js';
import { HttpEnvironment } from '../../config/areas/http.environment.js';
import { assertMatches, type Precondition } from '../../common/http/etag.js';
import { withVersion } from '../../common/http/versioned.decorator.js';
import { Cursors } from '../../common/pagination/cursor.js';
import { canonicalAddress } from '../../common/validation/mail-address.js';
import type { Keyset } from '../../common/pagination/keyset.js';
import type { Page } from '../../common/pagination/page.dto.js';
import { paginate } from '../../common/pagination/paginate.js';
import {
  type NotificationPreferences,
  PreferencesChangedEvent,
  ProfileChangedEvent,
} from '../../contracts/users.events.js';
import { AuditedActions } from '../../platform/audit/audited-actions.js';
import { databaseDate } from '../../platform/database/database-clock.js';
import { Transactions } from '../../platform/database/transactions.js';
import { Outbox } from '../../platform/messaging/outbox.js';
import { PersonalData } from '../../platform/personal-data/personal-data.js';
import { ProfileVersions } from '../../platform/profile-versions/profile-versions.js';
import type { ListUsersQueryDto, UpdateUserDto, UserSort } from './dto/user-requests.dto.js';
import type { UserDetailsResponseDto, UserResponseDto } from './dto/user-response.dto.js';
import { User } from './schemas/user.schema.js';
import { toSuspension, toUserResponse } from './user.mapper.js';
import { asOwner, OwnerGoneError, UserNotFoundError } from './users.errors.js';

/** How long a profile may take to arrive after the registration, in milliseconds. */
const PROFILE_WAIT_MS = 2000;
const PROFILE_POLL_MS = 25;
/** How long the verification of an address may take to arrive, in milliseconds. */
const VERIFICATION_WAIT_MS = 1000;
const VERIFICATION_POLL_MS = 50;

@Injectable()
export class UsersService {
  constructor(
    @InjectModel(User.name) private readonly users: Model<User>,
    private readonly transactions: Transactions,
    private readonly outbox: Outbox,
    private readonly audited: AuditedActions,
    private readonly personalData: PersonalData,
    private readonly cursors: Cursors,
    private readonly database: DatabaseEnvironment,
    private readonly http: HttpEnvironment,
    profileVersions: ProfileVersions,
  ) {
    profileVersions.provide((id, tx) => this.findVersion(id, tx));
  }

  toResponse(user: User): UserResponseDto {
    return toUserResponse(user, this.http.PUBLIC_URL);
  }

  /**
   * @param showSuspension whether the answer says whether, since when and why the user is suspended
   * @throws UserNotFoundError
   */
  async get(id: string, showSuspension = false): Promise<UserDetailsResponseDto> {
    const user = await this.users.findById(id).lean();
    if (!user) throw new UserNotFoundError();
    const suspended = showSuspension && { suspended: toSuspension(user) };
    return { ...this.toResponse(user), ...suspended };
  }

  /** @throws OwnerGoneError, DependencyUnavailableError where the profile of a fresh account hasn't arrived yet */
  async getOwn(id: string): Promise<UserResponseDto> {
    return this.toResponse(await this.awaitProfile(id));
  }

  async getPreferences(id: string): Promise<NotificationPreferences> {
    const { version, preferences } = await this.awaitProfile(id);
    return withVersion(version, preferences);
  }

  /** @throws OwnerGoneError, VersionMismatchError, DependencyUnavailableError */
  async updateOwn(actor: Actor, changes: UpdateUserDto, precondition: Precondition): Promise<UserResponseDto> {
    const { userId } = actor.principal;
    await this.awaitProfile(userId);
    const updated = this.transactions.run((tx) => this.applyUpdate(actor, userId, changes, precondition, tx));
    return await updated.catch(asOwner);
  }

  /** The same for any user, in the transaction of what goes with it. */
  async applyUpdate(
    actor: Actor,
    id: string,
    changes: UpdateUserDto,
    precondition: Precondition,
    tx: ClientSession,
  ): Promise<UserResponseDto> {
    const { phone } = changes;
    const isNewPhone = phone !== undefined && (await this.users.exists({ _id: id, phone: { $ne: phone } }).session(tx));
    const user = await this.change(
      id,
      precondition,
      {
        ...changes,
        ...(changes.name === undefined ? {} : { nameKey: changes.name.toLowerCase() }),
      },
      tx,
    );
    await this.outbox.add([profileChanged(user)], tx);
    if (isNewPhone) await this.audited.add('phone.changed', actor, { userId: id }, tx);
    return this.toResponse(user);
  }

  /** @throws OwnerGoneError, VersionMismatchError, DependencyUnavailableError */
  async replacePreferences(
    id: string,
    preferences: NotificationPreferences,
    precondition: Precondition,
  ): Promise<NotificationPreferences> {
    await this.awaitProfile(id);
    const replaced = this.transactions.run(async (tx) => {
      const { version } = await this.change(id, precondition, { preferences }, tx);
      await this.outbox.add([new PreferencesChangedEvent(id, { version, preferences })], tx);
      return withVersion(version, preferences);
    });
    return await replaced.catch(asOwner);
  }

  /**
   * Everything that the service holds of the user, as JSON. It is audited before it is read.
   *
   * @throws DependencyUnavailableError
   */
  async export(actor: Actor): Promise<Readable> {
    await this.transactions.run((tx) => this.audited.add('data.export-requested', actor, {}, tx));
    return await this.personalData.export(actor.principal.userId);
  }

  /** Turns notifications by mail off, after a request from a mail. Does nothing if the user was deleted. */
  async endEmails(id: string): Promise<void> {
    await this.transactions.run(async (tx) => {
      const user = await this.users.findById(id, null, { session: tx }).lean();
      if (!user?.preferences.channels.email) return;
      const preferences = { ...user.preferences, channels: { ...user.preferences.channels, email: false } };
      const { version } = await this.change(id, 'any', { preferences }, tx);
      await this.outbox.add([new PreferencesChangedEvent(id, { version, preferences })], tx);
    });
  }

  /** Marks a number as confirmed, in the transaction of the code that proved it; not if the user has another one by now. */
  async confirmPhone(id: string, phone: string, precondition: Precondition, tx: ClientSession): Promise<User> {
    const before = await this.users.findOne({ _id: id, phone }, { _id: 1 }, { session: tx }).lean();
    if (!before) throw new ProblemError('INVALID_CREDENTIALS', 'The code is for another number.');
    const user = await this.change(id, precondition, { phoneVerified: true }, tx);
    await this.outbox.add([profileChanged(user)], tx);
    return user;
  }

  /** Removes the phone number, which another person may have entered before the address was verified. */
  async removePhone(id: string, tx: ClientSession): Promise<void> {
    if (!(await this.users.exists({ _id: id, phone: { $ne: null } }).session(tx))) return;
    const changes = { phone: null, phoneVerified: false };
    await this.outbox.add([profileChanged(await this.change(id, 'any', changes, tx))], tx);
  }

  async list(query: ListUsersQueryDto): Promise<Page<UserResponseDto>> {
    return await paginate(this.users, filterOf(query), {
      cursors: this.cursors,
      list: `users:${query.sort}`,
      keyset: keysetOf(query.sort),
      query,
      map: (user) => this.toResponse(user),
      readPreference: this.database.MONGODB_READ_PREFERENCE,
    });
  }

  /**
   * Changes a profile, in the transaction of what goes with it.
   *
   * @throws UserNotFoundError, VersionMismatchError
   */
  async change(id: string, precondition: Precondition, changes: Partial<User>, tx: ClientSession): Promise<User> {
    const before = await this.users.findById(id, null, { session: tx }).lean();
    if (!before) throw new UserNotFoundError();
    assertMatches(precondition, before);
    const phoneChanged = changes.phone !== undefined && changes.phone !== before.phone;
    const phoneVerified = !phoneChanged && (before.phoneVerified ?? false);
    const after: User = {
      ...before,
      phoneVerified,
      ...changes,
      version: before.version + 1,
      updatedAt: databaseDate(),
    };
    await this.users.updateOne({ _id: before._id, version: before.version }, { $set: after }, { session: tx });
    return after;
  }

  /**
   * A profile whose address is verified. Waits a second for a verification that may be on its way.
   *
   * @throws what `awaitProfile` throws; EmailUnverifiedError
   */
  async awaitVerified(id: string): Promise<User> {
    const deadline = Date.now() + VERIFICATION_WAIT_MS;
    for (;;) {
      const user = await this.awaitProfile(id);
      if (user.emailVerified) return user;
      if (Date.now() >= deadline) throw new EmailUnverifiedError();
      await delay(VERIFICATION_POLL_MS);
    }
  }

  /** In a transaction, a change of the profile conflicts with it from then on. */
  private async findVersion(_id: string, tx?: ClientSession): Promise<number | null> {
    const user = tx
      ? await this.users.findOneAndUpdate({ _id }, { $set: { countedOnAt: databaseDate() } }, { session: tx }).lean()
      : await this.users.findOne({ _id }, { version: 1 }).lean();
    return user?.version ?? null;
  }

  /** @throws OwnerGoneError, DependencyUnavailableError where the profile of a fresh account hasn't arrived yet */
  async awaitProfile(id: string): Promise<User> {
    const deadline = Date.now() + PROFILE_WAIT_MS;
    do {
      const user = await this.users.findById(id).lean();
      if (user) return user;
      if (await this.personalData.isErased(id)) throw new OwnerGoneError();
      await delay(PROFILE_POLL_MS);
    } while (Date.now() < deadline);
    throw new DependencyUnavailableError('The profile is still being made: try again soon.');
  }
}

/** The event about a changed profile, with the fields that other modules may copy. */
export function profileChanged({
  _id,
  version,
  name,
  locale,
  timezone,
  phone,
  phoneVerified,
}: User): ProfileChangedEvent {
  const verifiedPhone = phoneVerified ? phone : null;
  return new ProfileChangedEvent(String(_id), { version, name, locale, timezone, verifiedPhone });
}

function keysetOf(sort: UserSort): Keyset<'createdAt' | 'email'> {
  const descending = sort.startsWith('-');
  return sort.endsWith('email')
    ? { field: 'email', descending, type: 'string' }
    : { field: 'createdAt', descending, type: 'date' };
}

function filterOf({ role, q }: ListUsersQueryDto): QueryFilter<User> {
  const prefix = q && new RegExp(`^${literally(q.normalize('NFC').toLowerCase())}`);
  const address = q && canonicalAddress(q);
  const matches = [{ email: prefix }, { nameKey: prefix }, ...(address ? [{ email: address }] : [])];
  return { ...(role && { role }), ...(prefix && { $or: matches }) };
}

/** As part of a regular expression; BSON can't hold one with a null character as it is. */
function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('\0', '\\x00');
}
