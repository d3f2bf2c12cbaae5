import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Redis } from 'ioredis';
import type { ClientSession, Model, QueryFilter } from 'mongoose';
import { DependencyUnavailableError } from '../../common/errors/problem.js';
import { Environment } from '../../config/environment.js';
import { SessionsRevokedEvent } from '../../contracts/auth.events.js';
import { Transactions } from '../database/transactions.js';
import { Outbox } from '../messaging/outbox.js';
import { InjectRedis, InjectRedisSubscriber } from '../redis/redis.module.js';
import { Revocation } from './revocation.schema.js';

/** Redis tells sooner; while it can't, this is all that tells. */
const POLL_MS = { withRedis: 500, alone: 200 };
/** A feed not read for longer than this isn't trusted: each request then asks the database. */
const MAX_STALENESS_MS = 5000;
/** How far each poll looks back: covers slow commits and clocks that disagree. */
const OVERLAP_MS = 30_000;
/** A database that is silent for this long is gone: who asks gets an honest answer instead of waiting with it. */
const READ_TIMEOUT_MS = 2000;
const CHANNEL = 'revocations';

/** What a token says of itself; `issuedAt` in seconds, as in the claim. */
export interface IssuedToken {
  userId: string;
  sessionId: string;
  issuedAt: number;
}

/** An ending: of a session, or of all of a user's tokens that were issued before `at`. */
export interface Ending {
  kind: Revocation['kind'];
  subject: string;
  /** milliseconds */
  at: number;
}

/**
 * Which sessions have ended, known to every process without I/O per request: a feed in MongoDB, held in memory for as
 * long as an access token lives, polled, and hastened by Redis pub/sub. Processes of other modules, on databases of their
 * own, keep their own feeds, from the event that tells of each end.
 */
@Injectable()
export class Revocations implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Revocations.name);
  /** `session:<id>` or `user:<id>` -> since when (milliseconds) */
  private readonly ended = new Map<string, number>();
  private readonly listeners: ((ending: Ending) => void)[] = [];
  private readonly keepMs: number;
  private readAt = 0;
  private timer?: NodeJS.Timeout;
  private polling?: Promise<void>;

  constructor(
    @InjectModel(Revocation.name) private readonly model: Model<Revocation>,
    private readonly transactions: Transactions,
    private readonly outbox: Outbox,
    @InjectRedis() private readonly redis: Redis,
    @InjectRedisSubscriber() private readonly subscriber: Redis,
    environment: Environment,
  ) {
    this.keepMs = environment.ACCESS_TOKEN_TTL_SECONDS * 1000 + OVERLAP_MS;
  }

  onModuleInit(): void {
    const subscribe = () => {
      this.subscriber.subscribe(CHANNEL).catch(() => undefined); // polling covers it; reconnecting tries again
    };
    this.subscriber.on('message', (channel, message) => {
      if (channel !== CHANNEL) return;
      for (const entry of JSON.parse(message) as Ending[]) this.remember(entry);
    });
    this.subscriber.on('ready', subscribe);
    if (this.subscriber.status === 'ready') subscribe();
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.poll();
  }

  /** Ends sessions of a user's everywhere once the transaction of `session` is committed. */
  async endSessions(userId: string, sessionIds: string[], session: ClientSession): Promise<void> {
    if (sessionIds.length === 0) return;
    await this.publish(userId, { sessionIds, tokensValidFrom: null, revokedAt: new Date().toISOString() }, session);
  }

  /**
   * Ends all access tokens of a user that were issued before `before`, once the transaction of `session` is committed.
   * Tokens tell their time in whole seconds, so `before` is a whole second, and not in the past.
   */
  async endTokensBefore(userId: string, before: Date, session: ClientSession): Promise<void> {
    const tokensValidFrom = before.toISOString();
    await this.publish(userId, { sessionIds: [], tokensValidFrom, revokedAt: new Date().toISOString() }, session);
  }

  /** Takes over what another process tells of; the same twice changes nothing. */
  async record(userId: string, data: SessionsRevokedEvent['data'], session: ClientSession): Promise<void> {
    const { sessionIds, tokensValidFrom, revokedAt } = data;
    const entries = sessionIds.map((subject): Ending => ({ kind: 'session', subject, at: Date.parse(revokedAt) }));
    if (tokensValidFrom) entries.push({ kind: 'user', subject: userId, at: Date.parse(tokensValidFrom) });
    const recordedAt = new Date();
    const writes = entries.map(({ kind, subject, at }) => ({
      updateOne: {
        filter: { _id: keyOf(kind, subject) },
        update: { $set: { kind, subject, recordedAt }, $max: { at: new Date(at) } },
        upsert: true,
      },
    }));
    await this.model.bulkWrite(writes, { session });
    this.transactions.afterCommit(session, () => {
      for (const entry of entries) this.remember(entry);
      this.redis.publish(CHANNEL, JSON.stringify(entries)).catch(() => undefined); // the poll brings them too
    });
  }

  /**
   * Whether a token counts no more.
   *
   * @throws DependencyUnavailableError where neither the feed nor the database can tell
   */
  async isRevoked(token: IssuedToken): Promise<boolean> {
    if (this.hasEnded(token)) return true; // which no later news can change
    if (Date.now() - this.readAt <= MAX_STALENESS_MS) return false;
    await this.readEntriesOf(token.userId, token.sessionId);
    return this.hasEnded(token);
  }

  /** The same by what this process knows: all there is, but for the last half second. */
  hasEnded({ userId, sessionId, issuedAt }: IssuedToken): boolean {
    if (this.ended.has(keyOf('session', sessionId))) return true;
    const before = this.ended.get(keyOf('user', userId));
    return before !== undefined && issuedAt * 1000 < before;
  }

  /** For what goes on without asking, such as open connections: called once for each ending, as soon as it is known. */
  onEnding(listener: (ending: Ending) => void): void {
    this.listeners.push(listener);
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearTimeout(this.timer);
    await this.polling;
    clearTimeout(this.timer);
  }

  private async publish(userId: string, data: SessionsRevokedEvent['data'], session: ClientSession): Promise<void> {
    await this.record(userId, data, session);
    await this.outbox.add(session, new SessionsRevokedEvent(userId, data));
  }

  private async readEntriesOf(userId: string, sessionId: string): Promise<void> {
    try {
      await this.take({ _id: { $in: [keyOf('user', userId), keyOf('session', sessionId)] } });
    } catch (error) {
      throw new DependencyUnavailableError("It can't be told at the moment whether this session goes on.", 1, error);
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
    const startedAt = Date.now();
    const since = this.readAt === 0 ? startedAt - this.keepMs : this.readAt - OVERLAP_MS;
    try {
      await this.take({ recordedAt: { $gt: new Date(since) } });
      this.readAt = startedAt;
      this.forgetExpired(startedAt);
    } catch (error) {
      if (startedAt - this.readAt > MAX_STALENESS_MS) {
        this.logger.warn({ err: error }, 'the feed of ended sessions cannot be read; asking for each request');
      }
    }
  }

  private async take(filter: QueryFilter<Revocation>): Promise<void> {
    const entries = await this.model
      .find(filter, null, { signal: AbortSignal.timeout(READ_TIMEOUT_MS) })
      .lean<Revocation[]>();
    for (const entry of entries) this.remember({ ...entry, at: entry.at.getTime() });
  }

  private remember(ending: Ending): void {
    const key = keyOf(ending.kind, ending.subject);
    if (ending.at <= (this.ended.get(key) ?? 0)) return;
    this.ended.set(key, ending.at);
    for (const listener of this.listeners) listener(ending);
  }

  private forgetExpired(now: number): void {
    for (const [key, at] of this.ended) {
      if (now - at > this.keepMs) this.ended.delete(key);
    }
  }
}

function keyOf(kind: Revocation['kind'], subject: string): string {
  return `${kind}:${subject}`;
}
