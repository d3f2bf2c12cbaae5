import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { UploadIncompleteError } from '../../common/errors/problem.js';
import { assertMatches, type Precondition } from '../../common/http/etag.js';
import { withVersion } from '../../common/http/versioned.decorator.js';
import { databaseDate } from '../../platform/database/database-clock.js';
import { Transactions } from '../../platform/database/transactions.js';
import { Outbox } from '../../platform/messaging/outbox.js';
import { type ObjectOwner, ObjectRemovals, OwnsObjects } from '../../platform/storage/object-removals.js';
import { StorageQuota } from '../../platform/storage/storage-quota.js';
import { ObjectStorage, UPLOADS_END_MS } from '../../platform/storage/object-storage.js';
import { toUploadResponse, type UploadResponseDto } from '../../platform/storage/upload-response.dto.js';
import type { AvatarResponseDto, CreateAvatarDto } from './dto/avatar.dto.js';
import { type Avatar, avatarPath, AVATARS } from './schemas/avatar.schema.js';
import { User } from './schemas/user.schema.js';
import { AvatarNotFoundError, OwnerGoneError } from './users.errors.js';
import { profileChanged, UsersService } from './users.service.js';

const ID_BYTES = 16;

/** A user's picture: uploaded to the store, and shown from there to everybody who knows its address. */
@OwnsObjects(AVATARS)
@Injectable()
export class AvatarsService implements ObjectOwner {
  constructor(
    @InjectModel(User.name) private readonly users: Model<User>,
    private readonly profiles: UsersService,
    private readonly storage: ObjectStorage,
    private readonly removals: ObjectRemovals,
    private readonly quota: StorageQuota,
    private readonly transactions: Transactions,
    private readonly outbox: Outbox,
  ) {}

  /**
   * @param precondition on the profile, as in `complete`
   * @throws OwnerGoneError, StorageQuotaExceededError, VersionMismatchError, DependencyUnavailableError
   */
  async create(
    userId: string,
    { contentType, size }: CreateAvatarDto,
    precondition: Precondition,
  ): Promise<UploadResponseDto> {
    await this.profiles.awaitProfile(userId);
    const pendingAvatar: Avatar = { id: randomBytes(ID_BYTES).toString('hex'), contentType, size };
    const path = avatarPath(userId, pendingAvatar.id);
    const upload = await this.storage.presignUpload({ key: path.join('/'), contentType, size });
    await this.transactions.run(async (tx) => {
      const before = await this.users
        .findOneAndUpdate({ _id: userId }, { $set: { pendingAvatar } }, { session: tx })
        .lean();
      if (!before) throw new OwnerGoneError();
      assertMatches(precondition, before);
      await this.quota.reserve(path, size, tx);
      const replaced = before.pendingAvatar;
      if (replaced) await this.removals.addUploadable(avatarPath(userId, replaced.id), tx);
      await this.removals.add(path, databaseDate(UPLOADS_END_MS), tx);
    });
    return toUploadResponse(upload);
  }

  /**
   * Makes the last upload the avatar; without one, the avatar stays.
   *
   * @returns its address, with the version of the profile
   * @throws OwnerGoneError, UploadIncompleteError, VersionMismatchError, DependencyUnavailableError
   */
  async complete(userId: string, precondition: Precondition): Promise<AvatarResponseDto> {
    const before = await this.profiles.awaitProfile(userId);
    assertMatches(precondition, before);
    const { pendingAvatar: pending } = before;
    if (!pending) return this.toAnswer(before);
    const { id, contentType, size } = pending;
    await this.storage.assertUploaded({ key: avatarPath(userId, id).join('/'), contentType, size });
    return await this.replace(userId, id, precondition);
  }

  /** @throws AvatarNotFoundError where this isn't the user's avatar (any more) */
  async getPictureUrl(userId: string, avatarId: string): Promise<string> {
    if (!(await this.users.exists({ _id: userId, 'avatar.id': avatarId }))) throw new AvatarNotFoundError();
    return await this.storage.presignDownload(avatarPath(userId, avatarId).join('/'));
  }

  /** @param path user and avatar, or the user alone, whose are then all unused */
  async isUnused([userId, avatarId]: string[]): Promise<boolean> {
    if (avatarId === undefined) return true;
    const pending = { _id: userId, 'pendingAvatar.id': avatarId };
    await this.users.updateOne(pending, { $set: { pendingAvatar: null } });
    return (await this.users.exists({ _id: userId, 'avatar.id': avatarId })) === null;
  }

  private async replace(userId: string, avatarId: string, precondition: Precondition): Promise<AvatarResponseDto> {
    return await this.transactions.run(async (tx) => {
      const before = await this.users.findById(userId, null, { session: tx }).lean();
      if (!before) throw new OwnerGoneError();
      const { avatar, pendingAvatar: pending } = before;
      // Completed by another request, or replaced by another upload.
      if (pending?.id !== avatarId) return this.toAnswer(before);
      const after = await this.profiles.change(userId, precondition, { avatar: pending, pendingAvatar: null }, tx);
      if (avatar) await this.removals.addUploadable(avatarPath(userId, avatar.id), tx);
      await this.outbox.add([profileChanged(after)], tx);
      return this.toAnswer(after);
    });
  }

  private toAnswer(user: User): AvatarResponseDto {
    const { avatarUrl } = this.profiles.toResponse(user);
    if (avatarUrl === null) throw new UploadIncompleteError();
    return withVersion(user.version, { avatarUrl });
  }
}
