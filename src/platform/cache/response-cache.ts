import { Injectable } from '@nestjs/common';
import { RedisEnvironment } from '../../config/areas/redis.environment.js';
import { databaseNow } from '../database/database-clock.js';
import { fieldOf, keyOf, type Question, targetOf } from './cache-key.js';
import { CacheLease } from './cache-lease.js';
import { bypasses, fills, fillWaits, requests } from './cache-metrics.js';
import { CacheRedis, type EntryKey } from './cache-redis.js';
import { type Answer, decodeAnswer, encodeAnswer } from './cached-answer.js';

export type CacheOutcome = 'hit' | 'miss' | 'bypass';
type BypassReason = 'disabled' | 'redis' | 'flag' | 'lease';

/** How an answer is made on a miss. */
export interface AnswerSource {
  make: () => Promise<Answer>;
  /** When an answer that is made now expires, in milliseconds since 1970; after `CACHE_TTL_SECONDS` where it is left out. */
  expiry?: (now: number) => number;
}

/** For an answer that doesn't expire by itself. */
const NEVER = 0;

interface Fill {
  expiresAt: number;
  answer: Promise<Answer>;
}

type Found = { answer: Answer } | { entryKey: EntryKey; version: string } | { bypass: BypassReason };

/** Looks up the cached answers of users, or makes and stores them. Never gives one from before an acknowledged write. */
@Injectable()
export class ResponseCache {
  /** Answers being made, by key, version and field: equal requests wait for them. */
  private readonly fillsInProgress = new Map<string, Fill>();

  constructor(
    private readonly redis: CacheRedis,
    private readonly lease: CacheLease,
    private readonly environment: RedisEnvironment,
  ) {}

  /** @throws what `make` throws; nothing is kept then */
  async answer(question: Question, source: AnswerSource): Promise<{ answer: Answer; outcome: CacheOutcome }> {
    const found = await this.find(question);
    const outcome = 'answer' in found ? 'hit' : 'bypass' in found ? 'bypass' : 'miss';
    requests.inc({ scope: question.scope, outcome });
    if ('answer' in found) return { answer: found.answer, outcome };
    if ('bypass' in found) {
      bypasses.inc({ reason: found.bypass });
      return { answer: await source.make(), outcome };
    }
    return { answer: await this.makeOnce(found.entryKey, found.version, source), outcome };
  }

  private async find(question: Question): Promise<Found> {
    if (!this.environment.CACHE_ENABLED) return { bypass: 'disabled' };
    if (this.redis.server === undefined) return { bypass: 'redis' };
    const lease = await this.lease.get();
    if (lease === null) return { bypass: 'lease' };
    if (lease.flagged) return { bypass: 'flag' };
    const entryKey = { key: keyOf(lease.epoch, targetOf(question)), field: fieldOf(question) };
    try {
      const { version, entry } = await this.redis.lookUp(entryKey);
      const answer = entry && decodeAnswer(entry);
      return answer ? { answer } : { entryKey, version };
    } catch {
      return { bypass: 'redis' }; // the outage itself is logged by the connection
    }
  }

  /** Equal requests share one answer per version: a write changes the version, so no later request gets an older answer. */
  private makeOnce(entryKey: EntryKey, version: string, source: AnswerSource): Promise<Answer> {
    const id = `${entryKey.key} ${version} ${entryKey.field}`;
    const now = databaseNow();
    const inProgress = this.fillsInProgress.get(id);
    // Not where the answer in progress has expired already, as at midnight.
    if (inProgress && (inProgress.expiresAt === NEVER || now < inProgress.expiresAt)) {
      fillWaits.inc();
      return inProgress.answer;
    }
    const expiresAt = source.expiry?.(now) ?? NEVER;
    const fill: Fill = { expiresAt, answer: this.make(entryKey, version, source.make, expiresAt) };
    this.fillsInProgress.set(id, fill);
    const forget = () => this.fillsInProgress.get(id) === fill && this.fillsInProgress.delete(id);
    fill.answer.then(forget, forget);
    return fill.answer;
  }

  private async make(
    entryKey: EntryKey,
    version: string,
    make: AnswerSource['make'],
    expiresAt: number,
  ): Promise<Answer> {
    const answer = await make();
    const outcome = await this.redis.fill(entryKey, version, encodeAnswer(answer, expiresAt)).catch(() => 'failed');
    fills.inc({ outcome });
    return answer;
  }
}
