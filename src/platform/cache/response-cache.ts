import { Injectable } from '@nestjs/common';
import { Environment } from '../../config/environment.js';
import { databaseNow } from '../database/database-clock.js';
import { fieldOf, keyOf, type Question, targetOf } from './cache-key.js';
import { CacheLease } from './cache-lease.js';
import { bypasses, fills, fillWaits, requests } from './cache-metrics.js';
import { CacheRedis, type Place } from './cache-redis.js';
import { type Answer, decodeAnswer, encodeAnswer } from './cached-answer.js';

export type CacheOutcome = 'hit' | 'miss' | 'bypass';
type BypassReason = 'disabled' | 'redis' | 'flag' | 'lease';

/** How an answer is made. */
export interface Recipe {
  make: () => Promise<Answer>;
  /** When it ends if it is begun now, in milliseconds since the epoch; after the configured time where it is left out. */
  expiry?: (now: number) => number;
}

/** Of an answer that doesn't age by itself. */
const NEVER = 0;

interface Fill {
  expiresAt: number;
  answer: Promise<Answer>;
}

type Found = { answer: Answer } | { place: Place; version: string } | { bypass: BypassReason };

/** Cached answers of users: looked up, or made and kept. Never one from before a write that has been acknowledged. */
@Injectable()
export class ResponseCache {
  /** Answers being made, by key, version and question: whoever asks the same meanwhile waits for them. */
  private readonly fillsUnderWay = new Map<string, Fill>();

  constructor(
    private readonly redis: CacheRedis,
    private readonly lease: CacheLease,
    private readonly environment: Environment,
  ) {}

  /** @throws what `make` throws; nothing is kept then */
  async answer(question: Question, recipe: Recipe): Promise<{ answer: Answer; outcome: CacheOutcome }> {
    const found = await this.find(question);
    const outcome = 'answer' in found ? 'hit' : 'bypass' in found ? 'bypass' : 'miss';
    requests.inc({ scope: question.scope, outcome });
    if ('answer' in found) return { answer: found.answer, outcome };
    if ('bypass' in found) {
      bypasses.inc({ reason: found.bypass });
      return { answer: await recipe.make(), outcome };
    }
    return { answer: await this.makeOnce(found.place, found.version, recipe), outcome };
  }

  private async find(question: Question): Promise<Found> {
    if (!this.environment.CACHE_ENABLED) return { bypass: 'disabled' };
    if (this.redis.server === undefined) return { bypass: 'redis' };
    const lease = await this.lease.get();
    if (lease === null) return { bypass: 'lease' };
    if (lease.flagged) return { bypass: 'flag' };
    const place = { key: keyOf(lease.epoch, targetOf(question)), field: fieldOf(question) };
    try {
      const { version, entry } = await this.redis.lookUp(place);
      const answer = entry && decodeAnswer(entry);
      return answer ? { answer } : { place, version };
    } catch {
      return { bypass: 'redis' }; // the outage itself is logged by the connection
    }
  }

  /** One at a time; under the version, so that nobody gets what was begun before a write they know of. */
  private makeOnce(place: Place, version: string, recipe: Recipe): Promise<Answer> {
    const id = `${place.key} ${version} ${place.field}`;
    const now = databaseNow();
    const underWay = this.fillsUnderWay.get(id);
    // Not where what is being made is over already, as at a midnight.
    if (underWay && (underWay.expiresAt === NEVER || now < underWay.expiresAt)) {
      fillWaits.inc();
      return underWay.answer;
    }
    const expiresAt = recipe.expiry?.(now) ?? NEVER;
    const fill: Fill = { expiresAt, answer: this.make(place, version, recipe.make, expiresAt) };
    this.fillsUnderWay.set(id, fill);
    const forget = () => this.fillsUnderWay.get(id) === fill && this.fillsUnderWay.delete(id);
    fill.answer.then(forget, forget);
    return fill.answer;
  }

  private async make(place: Place, version: string, make: Recipe['make'], expiresAt: number): Promise<Answer> {
    const answer = await make();
    const outcome = await this.redis.fill(place, version, encodeAnswer(answer, expiresAt)).catch(() => 'failed');
    fills.inc({ outcome });
    return answer;
  }
}
