import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, type QueryFilter, type Types } from 'mongoose';
import { SecretBox } from '../../common/crypto/secret-box.js';
import { BadAccessTokenError, UnauthenticatedError } from '../../common/errors/problem.js';
import type { Client } from '../../common/http/client.js';
import { networkOf } from '../../common/http/client-network.js';
import { requestContext } from '../../common/http/request-context.js';
import { AuthEnvironment } from '../../config/areas/auth.environment.js';
import { DatabaseEnvironment } from '../../config/areas/database.environment.js';
import { databaseDate, databaseNow } from '../../platform/database/database-clock.js';
import { Transactions } from '../../platform/database/transactions.js';
import { WorkLimit } from '../../platform/overload/work-limit.js';
import { Revocations } from '../../platform/revocation/revocations.js';
import { AuditService } from './audit.service.js';
import { RefreshTokenReusedError, SessionNotFoundError } from './auth.errors.js';
import { Session } from './schemas/session.schema.js';

const PURPOSE = 'refresh-token';
const REFRESH_TOKEN = /^([0-9a-f]{24})\.(\d{1,9})\.([\w-]{43})$/;

/** Of one user; with one more, the one that began first ends. */
const MAX_SESSIONS = 50;

/**
 * How many sessions are looked up by refresh tokens at once, and how many lookups may wait. A token is signed with the seed of
 * its session, so a guess costs a read of the database. Networks take turns, so that a flood of guesses from one network
 * delays no other, and leaves most of the connections to the database free.
 */
const LOOKUPS = { concurrency: 10, maxWaiting: 400 };

/** A session and the refresh token that is good for it now. */
export interface SessionGrant {
  session: Session;
  refreshToken: string;
}

/**
 * Sessions and their refresh tokens. A refresh token is `<session>.<generation>.<signature>`: derived from the session's
 * seed and `APP_SECRETS`, so it can be given again within the grace interval although it is stored nowhere.
 */
@Injectable()
export class SessionsService {
  private readonly lookups: WorkLimit;

  constructor(
    @InjectModel(Session.name) private readonly sessions: Model<Session>,
    private readonly box: SecretBox,
    private readonly transactions: Transactions,
    private readonly revocations: Revocations,
    private readonly audit: AuditService,
    private readonly environment: AuthEnvironment,
    { TRANSACTION_MAX_WAIT_MS: maxWaitMs }: DatabaseEnvironment,
  ) {
    const { concurrency, maxWaiting } = LOOKUPS;
    const queueLimit = { maxWaiting, maxWaitMs };
    this.lookups = new WorkLimit({ name: 'refresh-lookups', concurrency, queueLimit });
  }

  /**
   * Starts a session and ends the oldest ones beyond the limit of a user's.
   *
   * @param tx must also write the user's account, so that log-ins at once conflict and don't exceed the limit together
   */
  async start(user: Types.ObjectId, client: Client, tx: ClientSession): Promise<SessionGrant> {
    const createdAt = databaseDate();
    const [session] = await this.sessions.create(
      [
        {
          user,
          seed: randomBytes(32).toString('base64url'),
          createdAt,
          expiresAt: this.expiry(createdAt),
          ...client,
        },
      ],
      { session: tx },
    );
    await this.endOldest(String(user), tx);
    return this.grant((session as NonNullable<typeof session>).toObject());
  }

  /**
   * Exchanges a refresh token for its successor. Offered again within the grace interval, and while the successor is
   * unused, it gives the same successor; later it is taken for stolen and ends the session (RFC 9700, 4.14.2). What counts is
   * when the request began, and one whose client has left ends nothing: a client may give up and try another instance.
   *
   * @throws UnauthenticatedError for an unknown, expired or ended one
   * @throws RefreshTokenReusedError, AccountSuspendedError
   */
  async refresh(refreshToken: string, client: Client): Promise<SessionGrant> {
    const found = await this.findByRefreshToken(refreshToken);
    if (!found) {
      throw new UnauthenticatedError('The refresh token is unknown or expired: log in again.');
    }
    // Before the rotation, so that the token is still the current one when a suspension is lifted.
    await this.revocations.assertActiveNow(String(found.session.user));
    return this.grant(await this.rotate(found.session, found.generation, client));
  }

  /**
   * @returns the session that the token is or was good for; null for an unknown, expired or ended one
   * @throws OverloadedError where too many lookups are waiting
   */
  async findByRefreshToken(refreshToken: string): Promise<{ session: Session; generation: number } | null> {
    const [, id, number, signature] = REFRESH_TOKEN.exec(refreshToken) ?? [];
    if (id === undefined) return null;
    const { ip = '', startedAt } = requestContext.getStore() ?? {};
    const lookUp = () => this.sessions.findById(id).lean();
    const session = await this.lookups.run(networkOf(ip), lookUp, startedAt);
    if (!session || this.endOf(session).getTime() <= databaseNow()) return null;
    const generation = Number(number);
    const isGenuine = this.box.verify(PURPOSE, this.signedText(session, generation), signature as string);
    return isGenuine ? { session, generation } : null;
  }

  async list(userId: string): Promise<Session[]> {
    return await this.sessions.find(this.going(userId)).sort({ _id: -1 }).lean();
  }

  /** @throws BadAccessTokenError where the session has ended */
  async assertOpen(userId: string, id: string, tx: ClientSession): Promise<void> {
    const open = await this.sessions.exists({ _id: id, user: userId }).session(tx);
    if (!open) throw new BadAccessTokenError();
  }

  /**
   * Ends a session of this user's: its refresh tokens at once, its access tokens everywhere within a second.
   *
   * @throws SessionNotFoundError
   */
  async end(userId: string, id: string, tx: ClientSession): Promise<void> {
    const { deletedCount } = await this.sessions.deleteOne({ _id: id, user: userId }, { session: tx });
    if (deletedCount === 0) throw new SessionNotFoundError();
    await this.revocations.endSessions(userId, [id], tx);
  }

  async endAll(userId: string, tx: ClientSession): Promise<void> {
    await this.endMatching(userId, {}, tx);
  }

  /** Ends all of a user's sessions but this one. */
  async endOthers(userId: string, keptId: string, tx: ClientSession): Promise<void> {
    await this.endMatching(userId, { _id: { $ne: keptId } }, tx);
  }

  private async endMatching(userId: string, which: QueryFilter<Session>, tx: ClientSession): Promise<void> {
    const filter = { ...which, user: userId };
    const ended = await this.sessions.find(filter, { _id: 1 }, { session: tx }).lean();
    await this.sessions.deleteMany(filter, { session: tx });
    await this.revocations.endSessions(
      userId,
      ended.map(({ _id }) => String(_id)),
      tx,
    );
  }

  private async rotate(session: Session, generation: number, client: Client): Promise<Session> {
    const now = databaseDate();
    if (generation === session.generation) {
      const rotated = await this.sessions
        .findOneAndUpdate(
          { _id: session._id, generation },
          { $inc: { generation: 1 }, $set: { rotatedAt: now, expiresAt: this.expiry(session.createdAt) } },
          { returnDocument: 'after' },
        )
        .lean();
      if (rotated) return rotated;
    }
    if (generation === session.generation) return await this.findSuccessor(session);
    const graceMs = this.environment.REFRESH_REUSE_GRACE_SECONDS * 1000;
    const withinGrace = now.getTime() - session.rotatedAt.getTime() <= graceMs;
    if (generation === session.generation - 1 && withinGrace) return session;
    // It may have waited in a process that was paused, while the client gave up and tried another one.
    if (requestContext.getStore()?.clientHasLeft?.()) throw new UnauthenticatedError();
    await this.endReused(session, client);
    throw new RefreshTokenReusedError();
  }

  /**
   * For a token that was current when its request began, and was exchanged since by another one: that is no later use, however long
   * this process was paused in between.
   *
   * @throws UnauthenticatedError where the session has ended, or its successor was used already
   */
  private async findSuccessor({ _id, generation }: Session): Promise<Session> {
    const current = await this.sessions.findById(_id).lean();
    if (!current) throw new UnauthenticatedError('The session has ended: log in again.');
    if (current.generation === generation + 1) return current;
    throw new UnauthenticatedError('The refresh token was exchanged by a request at the same time.');
  }

  /** @param client who offered the token: the thief's, or the owner's */
  private async endReused({ _id, user }: Session, client: Client): Promise<void> {
    const id = String(_id);
    await this.transactions.run(async (tx) => {
      const { deletedCount } = await this.sessions.deleteOne({ _id }, { session: tx });
      if (deletedCount === 0) return; // a parallel request has just ended it
      await this.revocations.endSessions(String(user), [id], tx);
      const context = { actorId: user, client, details: { sessionId: id } };
      await this.audit.record('refresh-token.reused', context, tx);
    });
  }

  private grant(session: Session): SessionGrant {
    const signature = this.box.sign(PURPOSE, this.signedText(session, session.generation));
    const expiresAt = this.endOf(session);
    return {
      session: { ...session, expiresAt },
      refreshToken: `${String(session._id)}.${session.generation}.${signature}`,
    };
  }

  private signedText({ _id, seed }: Session, generation: number): string {
    return `${String(_id)}.${generation}.${seed}`;
  }

  private async endOldest(userId: string, tx: ClientSession): Promise<void> {
    const excess = await this.sessions
      .find(this.going(userId), { _id: 1 }, { session: tx })
      .sort({ createdAt: -1, _id: -1 })
      .skip(MAX_SESSIONS)
      .lean();
    if (excess.length === 0) return;
    const ids = excess.map(({ _id }) => String(_id));
    await this.sessions.deleteMany({ _id: { $in: ids } }, { session: tx });
    await this.revocations.endSessions(userId, ids, tx);
  }

  /** The sessions of a user that have not expired. */
  private going(user: string): QueryFilter<Session> {
    const now = databaseNow();
    const oldest = new Date(now - this.environment.SESSION_MAX_AGE_SECONDS * 1000);
    return { user, expiresAt: { $gt: new Date(now) }, createdAt: { $gt: oldest } };
  }

  /** The end of a session that is used now: it isn't used any more, or has reached the highest age. */
  private expiry(createdAt: Date): Date {
    const idle = databaseNow() + this.environment.REFRESH_TOKEN_TTL_SECONDS * 1000;
    return new Date(Math.min(idle, this.ageLimit(createdAt)));
  }

  /** Not later than the highest age allows, which may have been lowered since the session's end was stored. */
  private endOf({ createdAt, expiresAt }: Session): Date {
    return new Date(Math.min(expiresAt.getTime(), this.ageLimit(createdAt)));
  }

  private ageLimit(createdAt: Date): number {
    return createdAt.getTime() + this.environment.SESSION_MAX_AGE_SECONDS * 1000;
  }
}
