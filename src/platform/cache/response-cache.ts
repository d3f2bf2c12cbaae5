import { Injectable } from '@nestjs/common';
import { Environment } from '../../config/environment.js';
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
  /** Seconds it may live at most; the configured time to live where it is left out. */
  maxAge?: () => number;
}

type Found = { answer: Answer } | { place: Place; version: string } | { bypass: BypassReason };

/** Cached answers of users: looked up, or made and kept. Never one from before a write that has been acknowledged. */
@Injectable()
export class ResponseCache {
  /** Answers being made, by key, version and question: whoever asks the same meanwhile waits for them. */
  private readonly fillsUnderWay = new Map<string, Promise<Answer>>();

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
    const underWay = this.fillsUnderWay.get(id);
    if (underWay) {
      fillWaits.inc();
      return underWay;
    }
    const fill = this.make(place, version, recipe).finally(() => this.fillsUnderWay.delete(id));
    this.fillsUnderWay.set(id, fill);
    return fill;
  }

  private async make(place: Place, version: string, { make, maxAge }: Recipe): Promise<Answer> {
    const expiresAt = maxAge ? Date.now() + maxAge() * 1000 : 0;
    const answer = await make();
    const outcome = await this.redis.fill(place, version, encodeAnswer(answer, expiresAt)).catch(() => 'failed');
    fills.inc({ outcome });
    return answer;
  }
}
