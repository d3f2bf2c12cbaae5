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
  private readonly startedAt: number;
  private readAt?: number;
  private askedAt?: number;
  private answersAreExpected = false;
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
  ) {
    this.startedAt = now();
  }

  get hasAnswered(): boolean {
    return this.askedAt !== undefined;
  }

  /** From which time of the other database entries are needed, in milliseconds; null where all of them are. */
  get since(): number | null {
    return this.readAt === undefined || this.silentForMs > this.resumableMs ? null : this.readAt - READ_OVERLAP_MS;
  }

  /** Without any answer it counts from the start of the process, and only where answers are expected. */
  get isTooOld(): boolean {
    return this.silentForMs > MAX_AGE_MS || this.now() - (this.askedBrokerAt ?? Infinity) > this.maxAgeWithoutBrokerMs;
  }

  /** Below zero until there is a first answer, or one is expected. */
  private get silentForMs(): number {
    return this.now() - (this.askedAt ?? (this.answersAreExpected ? this.startedAt : Infinity));
  }

  /** To be called once every process of the module answers: those of an earlier release don't. */
  expectAnswers(): void {
    this.answersAreExpected = true;
  }

  /** @param askedAt when the question was asked that this answers */
  accept({ readAt }: FeedExcerpt, askedAt: number, by: 'broker' | 'redis'): void {
    this.readAt = readAt;
    this.askedAt = askedAt;
    if (by === 'broker' || this.askedBrokerAt === undefined) this.askedBrokerAt = askedAt;
  }
}
