import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { ClientSession } from 'mongoose';
import {
  AccountSuspendedError,
  DependencyUnavailableError,
  UnauthenticatedError,
} from '../../common/errors/problem.js';
import { type AccountState, SessionsRevokedEvent } from '../../contracts/auth.events.js';
import type { Role } from '../../contracts/role.js';
import { databaseDate, databaseNow } from '../database/database-clock.js';
import { Transactions } from '../database/transactions.js';
import { Outbox } from '../messaging/outbox.js';
import { InjectRedis, InjectRedisSubscriber } from '../redis/redis.module.js';
import { type Ending, type IssuedKey, type IssuedToken, KnownEndings } from './known-endings.js';
import { RemoteFeeds } from './remote-feeds.js';
import { READ_OVERLAP_MS, RevocationFeed } from './revocation-feed.js';

/** Redis is faster; while it is unavailable, polling is the only way. */
const POLL_MS = { withRedis: 500, alone: 200 };
/** A feed not read for longer than this isn't trusted: each request then asks the database. */
const MAX_STALENESS_MS = 5000;
/** Longer than reading an account and making a token of it takes. */
const ISSUING_MS = 1000;
const CHANNEL = 'revocations';
const UNKNOWN = 'It is not known at the moment whether this access is still valid.';

/**
 * Which sessions, API keys and roles have ended, known to every process without I/O per request: a feed in MongoDB, held in
 * memory for as long as an access token lives, polled, and made faster by Redis pub/sub. Processes of other modules, on
 * databases of their own, keep their own feeds, from the events about each ending.
 */
@Injectable()
export class Revocations implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Revocations.name);
  private readonly known: KnownEndings;
  private readonly listeners: ((ending: Ending) => void)[] = [];
  /** When the latest successful poll began: by the monotonic clock (milliseconds), and by the database's clock. */
  private readAt = -Infinity;
  private readUpTo?: number;
  private timer?: NodeJS.Timeout;
  private polling?: Promise<void>;

  constructor(
    private readonly feed: RevocationFeed,
    private readonly remoteFeeds: RemoteFeeds,
    private readonly transactions: Transactions,
    private readonly outbox: Outbox,
    @InjectRedis() private readonly redis: Redis,
    @InjectRedisSubscriber() private readonly subscriber: Redis,
  ) {
    this.known = new KnownEndings(feed.keepMs);
    remoteFeeds.onEndings((endings) => this.remember(endings));
  }

  onModuleInit(): void {
    const subscribe = () => {
      this.subscriber.subscribe(CHANNEL).catch(() => undefined); // polling covers it; reconnecting tries again
    };
    this.subscriber.on('message', (channel, message) => {
      if (channel === CHANNEL) this.remember(JSON.parse(message) as Ending[]);
    });
    this.subscriber.on('ready', subscribe);
    if (this.subscriber.status === 'ready') subscribe();
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.poll();
  }

  /** Ends sessions of a user's everywhere once the transaction is committed. */
  async endSessions(userId: string, sessionIds: string[], tx: ClientSession): Promise<void> {
    if (sessionIds.length === 0) return;
    await this.publish(userId, { sessionIds, tokensValidFrom: null }, tx);
  }

  /**
   * Rejects API keys everywhere once the transaction is committed, also where the event that removes their
   * copies hasn't arrived yet.
   */
  async endApiKeys(userId: string, apiKeyIds: string[], tx: ClientSession): Promise<void> {
    if (apiKeyIds.length === 0) return;
    await this.publish(userId, { sessionIds: [], apiKeyIds, tokensValidFrom: null }, tx);
  }

  /**
   * Ends all access tokens of a user that were issued before `before`, once the transaction is committed.
   * Tokens tell their time in whole seconds, so `before` is a whole second, and not in the past.
   */
  async endTokensBefore(userId: string, before: Date, tx: ClientSession): Promise<void> {
    await this.publish(userId, { sessionIds: [], tokensValidFrom: before.toISOString() }, tx);
  }

  /**
   * Makes a decision about an account effective everywhere once the transaction is committed: credentials
   * count with the new role, and those of a suspended or deleted account are rejected.
   *
   * @param tokensValidFrom ends access tokens as `endTokensBefore` does
   */
  async applyAccountState(
    userId: string,
    account: AccountState,
    tokensValidFrom: Date | null,
    tx: ClientSession,
  ): Promise<void> {
    const data = { sessionIds: [], tokensValidFrom: tokensValidFrom?.toISOString() ?? null, account };
    await this.publish(userId, data, tx);
  }

  /** Records what another process has published; the same twice changes nothing. */
  async record(userId: string, data: SessionsRevokedEvent['data'], tx: ClientSession): Promise<void> {
    const endings = await this.feed.store(userId, data, tx);
    if (endings.length === 0) return;
    this.transactions.afterCommit(() => {
      this.remember(endings);
      this.redis.publish(CHANNEL, JSON.stringify(endings)).catch(() => undefined); // the poll brings them too
    }, tx);
  }

  /**
   * Whether a credential is valid no longer.
   *
   * @throws DependencyUnavailableError where neither the feed nor the database can tell
   */
  async isRevoked(credential: IssuedToken | IssuedKey): Promise<boolean> {
    if (this.hasEnded(credential)) return true; // which no later entry can change
    const { userId } = credential;
    const ended =
      'apiKeyId' in credential
        ? ({ kind: 'key', id: credential.apiKeyId } as const)
        : ({ kind: 'session', id: credential.sessionId } as const);
    await this.readIfStale(userId, ended);
    return this.hasEnded(credential);
  }

  /** The same by what this process knows: all there is as of the last successful poll and answer, however old those are. */
  hasEnded(credential: IssuedToken | IssuedKey): boolean {
    return this.known.hasEnded(credential);
  }

  isSuspended(userId: string): boolean {
    return this.known.statusOf(userId) === 'suspended';
  }

  /** Neither suspended nor deleted, by what this process knows. */
  isActive(userId: string): boolean {
    return this.known.statusOf(userId) === 'active';
  }

  /**
   * @param role a credential's
   * @returns the role that counts: a recent decision's where that is lower. It raises none, because the credential may
   * contain a later decision, by an instance of an earlier release that doesn't write to the feed.
   */
  effectiveRole(userId: string, role: Role): Role {
    return this.known.roleAtMost(userId, role);
  }

  /** @param copy of the user's profile @returns the role of a recent decision where that is newer than the copy */
  latestRole(userId: string, copy: Pick<AccountState, 'role' | 'version'>): Role {
    return this.known.roleSince(userId, copy);
  }

  /** @returns the earliest time of a token that this process's feed doesn't revoke; null for any time */
  tokensValidFrom(userId: string): Date | null {
    const time = this.known.tokensValidFrom(userId);
    return time > 0 ? new Date(time) : null;
  }

  /**
   * To be called before a user gets new credentials.
   *
   * @throws AccountSuspendedError; UnauthenticatedError where an administrator has deleted the account
   * @throws DependencyUnavailableError where neither the feed nor the database can tell
   */
  async assertActive(userId: string): Promise<void> {
    await this.readIfStale(userId);
    this.assertKnownActive(userId);
  }

  /**
   * The same, by what the database says now. To be called before a token is made: one that doesn't agree with a decision
   * that another process has just made would be revoked from its first use.
   */
  async assertActiveNow(userId: string): Promise<void> {
    // Where the database doesn't answer in time, what this process knows is enough, unless that is old.
    await this.readLatest(userId).catch(() => this.readIfStale(userId));
    this.assertKnownActive(userId);
  }

  private assertKnownActive(userId: string): void {
    const status = this.known.statusOf(userId);
    if (status === 'suspended') throw new AccountSuspendedError();
    if (status === 'deleted') throw new UnauthenticatedError();
  }

  /** For what doesn't ask each time, such as open connections: called as soon as an ending is known, perhaps more than once. */
  onEnding(listener: (ending: Ending) => void): void {
    this.listeners.push(listener);
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearTimeout(this.timer);
    await this.polling;
    clearTimeout(this.timer);
  }

  private async publish(
    userId: string,
    ended: Omit<SessionsRevokedEvent['data'], 'revokedAt'>,
    tx: ClientSession,
  ): Promise<void> {
    const data = { ...ended, revokedAt: databaseDate().toISOString() };
    await this.record(userId, data, tx);
    await this.outbox.add([new SessionsRevokedEvent(userId, data)], tx);
  }

  private async readIfStale(userId: string, credential?: { kind: 'session' | 'key'; id: string }): Promise<void> {
    if (this.remoteFeeds.areTooOld) throw new DependencyUnavailableError(UNKNOWN);
    if (performance.now() - this.readAt <= MAX_STALENESS_MS) return;
    await this.readLatest(userId, credential);
  }

  private async readLatest(userId: string, credential?: { kind: 'session' | 'key'; id: string }): Promise<void> {
    if (this.remoteFeeds.areTooOld) throw new DependencyUnavailableError(UNKNOWN);
    try {
      this.remember(await this.feed.readOf(userId, credential));
    } catch (error) {
      throw new DependencyUnavailableError(UNKNOWN, 1, error);
    }
  }

  private async poll(): Promise<void> {
    this.polling = this.read();
    await this.polling;
    const pause = this.subscriber.status === 'ready' ? POLL_MS.withRedis : POLL_MS.alone;
    this.timer = setTimeout(() => void this.poll(), pause);
    this.timer.unref();
  }

  private async read(): Promise<void> {
    const startedAt = performance.now();
    const isStale = startedAt - this.readAt > MAX_STALENESS_MS;
    try {
      const since = isStale || this.readUpTo === undefined ? null : this.readUpTo - READ_OVERLAP_MS;
      const { endings, readAt } = await this.feed.excerpt(since);
      this.remember(endings);
      this.readAt = startedAt;
      this.readUpTo = readAt;
      this.known.forgetExpired();
    } catch (error) {
      if (isStale) this.logger.warn({ err: error }, 'the feed of ended access cannot be read; asking for each request');
    }
  }

  private remember(endings: Ending[]): void {
    for (const ending of endings) {
      if (!this.known.add(ending)) continue;
      for (const listener of this.listeners) listener(ending);
    }
  }
}

/**
 * From when tokens count after a decision that ends all earlier ones. A token may be being made of the account as it
 * was, so it lies a little ahead. A whole second, as in a token's `iat`.
 */
export function nextTokenTime(): Date {
  return new Date(Math.ceil((databaseNow() + ISSUING_MS) / 1000) * 1000);
}
