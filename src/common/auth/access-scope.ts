import { Types } from 'mongoose';

const HEX_ID = /^[0-9a-f]{24}$/i;

/**
 * Whose documents a query reads or writes, and whose cached answers it concerns: today those of one user. Made by
 * `ownedBy` alone, and turned into a filter here alone, so that another kind of owner needs no change of the queries
 * (docs/adr/0016-access-scope.md).
 */
export class AccessScope {
  private constructor(private readonly userId: string) {}

  /**
   * @param userId the hexadecimal id of a user
   * @throws TypeError for anything else: the driver would make a random id of nothing
   */
  static ofUser(userId: string): AccessScope {
    if (!HEX_ID.test(userId)) throw new TypeError('not the id of a user');
    return new AccessScope(userId);
  }

  /** What every query of documents that are owned has in its filter; the shard key is in it. */
  get filter(): { user: Types.ObjectId } {
    return { user: new Types.ObjectId(this.userId) };
  }

  /** Tells the scope from others in the keys of cached answers. */
  get key(): string {
    return this.userId;
  }
}

/** The scope of what this user owns. */
export const ownedBy = (userId: string): AccessScope => AccessScope.ofUser(userId);
