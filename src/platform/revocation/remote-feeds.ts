import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { Redis } from 'ioredis';
import { AuthEnvironment } from '../../config/areas/auth.environment.js';
import { ProcessEnvironment } from '../../config/areas/process.environment.js';
import type { ModuleName } from '../../contracts/modules.js';
import { SigningKeys } from '../authentication/signing-keys.js';
import { RabbitMqConnections } from '../messaging/rabbitmq/rabbitmq-connections.js';
import { RemoteQuestion } from '../messaging/remote-question.js';
import { ContractSteps } from '../migrations/contract-steps.js';
import type { Migration } from '../migrations/migration.js';
import { InjectRedis, InjectRedisSubscriber } from '../redis/redis.module.js';
import type { Ending } from './known-endings.js';
import { RedisQuestion } from './redis-question.js';
import { type FeedExcerpt, RemoteFeed } from './remote-feed.js';
import { RevocationFeed } from './revocation-feed.js';

/** The modules that end access. */
const DECIDING: ModuleName[] = ['auth', 'users'];
const INTERVAL_MS = 1000;
const TIMEOUT_MS = 1000;
/** For a whole feed, which may be long. */
const WHOLE_TIMEOUT_MS = 5000;
/**
 * For how long answers through Redis alone are enough at least: the life of very short access tokens would pass with every
 * pause of RabbitMQ.
 */
const MIN_WITHOUT_BROKER_MS = 60_000;
const NAME = 'revocations';

/**
 * From this step on, every process of the deciding modules answers, so a process that gets no answer from its start on
 * doesn't trust its copy either. It changes nothing that is stored.
 */
export const FEEDS_ARE_ANSWERED: Migration = {
  id: '0001-feeds-are-answered',
  phase: 'contract',
  runBatch: () => Promise.resolve({ changed: 0, position: null }),
};

interface FeedQuestion {
  since: number | null;
}

/**
 * The feeds of the databases of other modules, which a process of a split service can't read. Each second it asks for
 * what is new in them, through RabbitMQ, or through Redis where RabbitMQ brings no answer. The answers also tell that
 * nothing is missing: a process that gets none knows that its own copy may be old.
 */
@Injectable()
export class RemoteFeeds implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(RemoteFeeds.name);
  private readonly feeds: RemoteFeed[];
  private readonly answering: ModuleName[];
  private readonly broker: RemoteQuestion<FeedQuestion>;
  private readonly redis: RedisQuestion;
  private readonly timers = new Map<RemoteFeed, NodeJS.Timeout>();
  private readonly reportedOld = new Set<RemoteFeed>();
  /** The next read of the whole feed, which processes that begin at the same time share; one read follows the other. */
  private nextWhole?: ReturnType<RevocationFeed['excerpt']>;
  private lastWhole: Promise<unknown> = Promise.resolve();
  private receive: (endings: Ending[]) => void = () => undefined;
  private closing = false;

  constructor(
    @Inject(RabbitMqConnections) connections: RabbitMqConnections | null,
    @InjectRedis() redis: Redis,
    @InjectRedisSubscriber() subscriber: Redis,
    private readonly feed: RevocationFeed,
    private readonly contractSteps: ContractSteps,
    keys: SigningKeys,
    { MODULES: served }: ProcessEnvironment,
    { ACCESS_TOKEN_TTL_SECONDS: ttl }: AuthEnvironment,
  ) {
    const isServed = (module: ModuleName) => served.includes(module);
    // Without a broker all modules are in this process.
    this.answering = connections ? DECIDING.filter(isServed) : [];
    const maxAgeWithoutBrokerMs = Math.max(ttl * 1000, MIN_WITHOUT_BROKER_MS);
    this.feeds = connections
      ? DECIDING.filter((module) => !isServed(module)).map(
          (module) => new RemoteFeed(module, feed.resumableMs, maxAgeWithoutBrokerMs),
        )
      : [];
    this.broker = new RemoteQuestion(connections, {
      name: NAME,
      timeoutMs: TIMEOUT_MS,
      retryAfterSeconds: 1,
      unavailable: 'The feed of ended access can not be read at the moment.',
      traced: false,
    });
    this.redis = new RedisQuestion(redis, subscriber, NAME, keys.ids);
  }

  /** @param receive takes the entries that answers bring, known ones included */
  onEndings(receive: (endings: Ending[]) => void): void {
    this.receive = receive;
  }

  /** Whether so much time has passed without an answer that access may have ended unnoticed. */
  get areTooOld(): boolean {
    return this.feeds.some(({ isTooOld }) => isTooOld);
  }

  onApplicationBootstrap(): void {
    const answer = (question: unknown) => this.answer(question as FeedQuestion);
    const answers = new Map(this.answering.map((module) => [module, answer]));
    if (answers.size + this.feeds.length === 0) return;
    this.broker.open(answers);
    this.redis.open(answers);
    for (const feed of this.feeds) void this.follow(feed);
  }

  beforeApplicationShutdown(): void {
    this.closing = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
  }

  private async follow(feed: RemoteFeed): Promise<void> {
    await this.expectAnswers(feed);
    const { since } = feed;
    const timeoutMs = since === null ? WHOLE_TIMEOUT_MS : TIMEOUT_MS;
    const ask = {
      broker: () => this.broker.ask(feed.module, { since }, timeoutMs),
      redis: () => this.redis.ask(feed.module, { since }, timeoutMs),
    };
    const answered = (await this.read(feed, 'broker', ask.broker)) || (await this.read(feed, 'redis', ask.redis));
    this.report(feed, answered);
    if (this.closing) return;
    this.timers.set(feed, setTimeout(() => void this.follow(feed), INTERVAL_MS).unref());
  }

  private async expectAnswers(feed: RemoteFeed): Promise<void> {
    if (feed.hasAnswered) return;
    try {
      if (await this.contractSteps.hasBegun(`revocation.${FEEDS_ARE_ANSWERED.id}`)) feed.expectAnswers();
    } catch {
      // Requests get 503 for the database's sake; it is asked again in a second.
    }
  }

  /** @returns whether there was an answer */
  private async read(feed: RemoteFeed, by: 'broker' | 'redis', ask: () => Promise<string>): Promise<boolean> {
    const askedAt = performance.now();
    try {
      const excerpt = JSON.parse(await ask()) as FeedExcerpt;
      this.receive(excerpt.endings);
      feed.accept(excerpt, askedAt, by);
      return true;
    } catch {
      return false;
    }
  }

  /** One line when a feed gets too old, and one when it is up to date again. */
  private report(feed: RemoteFeed, answered: boolean): void {
    const { module, isTooOld } = feed;
    if (isTooOld === this.reportedOld.has(feed)) return;
    if (isTooOld) {
      this.reportedOld.add(feed);
      const reason = answered ? 'RabbitMQ has been away for too long' : 'there is no answer';
      this.logger.warn(
        `the feed of ended access of ${module} is too old (${reason}): requests with credentials get 503`,
      );
    } else {
      this.reportedOld.delete(feed);
      this.logger.log(`the feed of ended access of ${module} is up to date again`);
    }
  }

  /** @returns an excerpt of the feed as JSON; the empty text where the database can't be read */
  private async answer({ since }: FeedQuestion): Promise<string> {
    try {
      return JSON.stringify(await (since === null ? this.readWhole() : this.feed.excerpt(since)));
    } catch {
      return '';
    }
  }

  /** Never joins a read that is under way: that one may miss what was recorded before the question. */
  private readWhole(): ReturnType<RevocationFeed['excerpt']> {
    if (!this.nextWhole) {
      this.nextWhole = this.lastWhole.then(() => {
        this.nextWhole = undefined;
        return this.feed.excerpt(null);
      });
      this.lastWhole = this.nextWhole.catch(() => undefined);
    }
    return this.nextWhole;
  }
}
