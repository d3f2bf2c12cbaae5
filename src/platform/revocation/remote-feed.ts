import type { ModuleName } from '../../contracts/modules.js';
import type { Ending } from './known-endings.js';
import { READ_OVERLAP_MS } from './revocation-feed.js';

/** An answer older than this doesn't tell what is valid now. */
const MAX_AGE_MS = 10_000;

/** Entries of the feed of another module's database. */
export interface FeedExcerpt {
  endings: Ending[];
  /** The time of that database before they were read, in milliseconds. */
  readAt: number;
}

/** What this process knows of the feed of another module's database, and how old that is by the monotonic clock. */
export class RemoteFeed {
  private readAt?: number;
  private askedAt?: number;
  private askedBrokerAt?: number;

  /**
   * @param resumableMs after how much time without an answer everything is needed again
   * @param maxAgeWithoutBrokerMs for how long answers through Redis alone are enough: for longer, a decision would be
   * forgotten that no event has brought
   * @param now a monotonic clock (milliseconds)
   */
  constructor(
    readonly module: ModuleName,
    private readonly resumableMs: number,
    private readonly maxAgeWithoutBrokerMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** From which time of the other database entries are needed, in milliseconds; null where all of them are. */
  get since(): number | null {
    return this.readAt === undefined || this.silentForMs > this.resumableMs ? null : this.readAt - READ_OVERLAP_MS;
  }

  /** False until there is a first answer: a module of an earlier release doesn't answer. */
  get isTooOld(): boolean {
    return this.silentForMs > MAX_AGE_MS || this.now() - (this.askedBrokerAt ?? Infinity) > this.maxAgeWithoutBrokerMs;
  }

  /** Below zero until there is a first answer. */
  private get silentForMs(): number {
    return this.now() - (this.askedAt ?? Infinity);
  }

  /** @param askedAt when the question was asked that this answers */
  accept({ readAt }: FeedExcerpt, askedAt: number, by: 'broker' | 'redis'): void {
    this.readAt = readAt;
    this.askedAt = askedAt;
    if (by === 'broker' || this.askedBrokerAt === undefined) this.askedBrokerAt = askedAt;
  }
}
