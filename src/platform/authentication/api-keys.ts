import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, Types } from 'mongoose';
import type { Principal } from '../../common/auth/principal.js';
import type { ApiKeyScope } from '../../common/auth/scopes.js';
import type { Role } from '../../contracts/role.js';
import { ApiKey } from './api-key.schema.js';

/** Recognisable, for people and for scanners of leaked secrets. */
const API_KEY = /^sak_([0-9a-f]{24})_([\w-]{43})$/;
const USE_RECORDED_EVERY_MS = 60_000;

export interface NewApiKey {
  user: string;
  name: string;
  scopes: ApiKeyScope[];
  role: Role;
  expiresAt: Date | null;
}

/** Personal API keys: made, listed and removed by their owner, verified by whichever process meets one. */
@Injectable()
export class ApiKeys {
  private readonly logger = new Logger(ApiKeys.name);

  constructor(@InjectModel(ApiKey.name) private readonly model: Model<ApiKey>) {}

  /** @returns the document, and the key itself, which can't be had again */
  async create(input: NewApiKey, session: ClientSession): Promise<{ apiKey: ApiKey; key: string }> {
    const secret = randomBytes(32).toString('base64url');
    const _id = new Types.ObjectId();
    const [created] = await this.model.create([{ ...input, _id, secretHash: hashOf(secret) }], { session });
    return { apiKey: (created as NonNullable<typeof created>).toObject(), key: `sak_${String(_id)}_${secret}` };
  }

  async list(userId: string): Promise<ApiKey[]> {
    return await this.model.find({ user: userId }).sort({ _id: 1 }).lean();
  }

  /** @returns whether there was such a key of this user's */
  async remove(userId: string, id: string, session: ClientSession): Promise<boolean> {
    const { deletedCount } = await this.model.deleteOne({ _id: id, user: userId }, { session });
    return deletedCount > 0;
  }

  async removeAll(userId: string, session: ClientSession): Promise<void> {
    await this.model.deleteMany({ user: userId }, { session });
  }

  async changeRole(userId: string, role: Role, session: ClientSession): Promise<void> {
    await this.model.updateMany({ user: userId }, { $set: { role } }, { session });
  }

  /** @returns whose key it is; null for anything but a key that is good now */
  async verify(key: string): Promise<Principal | null> {
    const [, id, secret] = API_KEY.exec(key) ?? [];
    if (id === undefined || secret === undefined) return null;
    const apiKey = await this.model.findById(id).lean();
    if (!apiKey || !equal(apiKey.secretHash, hashOf(secret))) return null;
    const now = Date.now();
    if (apiKey.expiresAt && apiKey.expiresAt.getTime() <= now) return null;
    if (now - (apiKey.lastUsedAt?.getTime() ?? 0) > USE_RECORDED_EVERY_MS) this.recordUse(apiKey, new Date(now));
    return { userId: String(apiKey.user), role: apiKey.role, apiKey: { id, scopes: apiKey.scopes } };
  }

  /** Not awaited: the request needn't wait for its own record. */
  private recordUse({ _id }: ApiKey, at: Date): void {
    this.model
      .updateOne({ _id }, { $set: { lastUsedAt: at } })
      .catch((error: unknown) => this.logger.warn({ err: error }, 'the use of an API key could not be recorded'));
  }
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

function equal(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
