/** What finishing an item writes into it. */
export type Changes<T> = Partial<T> | void;

export interface WorkQueueOptions {
  /** The queue's name in logs, metrics and alerts. */
  queue: string;
  /** How many items one process works on at once. */
  concurrency: number;
  /** After this many attempts without success an item is parked; an attempt whose process was lost counts. */
  maxAttempts: number;
  /** The longest pause before the next attempt, in milliseconds. */
  maxBackoffMs?: number;
  /** What becomes of finished items; `leave`: the handler itself has changed or deleted it. */
  whenDone: 'delete' | 'keep' | 'leave';
  /** How long a claim lasts, in milliseconds; longer than a handler takes without `claim.extend()`. */
  leaseMs?: number;
  /** Which of the collection's items are this queue's, where several queues share one: a filter. */
  scope?: object;
  /** Asked before each claim: a further filter, or null where nothing may be claimed at the moment. */
  claimable?: () => object | null;
  /** The field that names an item's owner; where given, claims are fair between owners (`FairClaims`). */
  fairBetween?: string;
  /** How often an idle process looks for work that another process has added, in milliseconds. Its own is nudged. */
  pollMs?: number;
}

const DEFAULT_LEASE_MS = 60_000;
const DEFAULT_POLL_MS = 3_000;

/** @returns how long a claim of this queue lasts, in milliseconds */
export function leaseMsOf({ leaseMs = DEFAULT_LEASE_MS }: WorkQueueOptions): number {
  return leaseMs;
}

/** @returns the time until the next poll in milliseconds, jittered so that instances don't poll in step */
export function nextPollMsOf({ pollMs = DEFAULT_POLL_MS }: WorkQueueOptions): number {
  return pollMs * (0.75 + Math.random() / 2);
}
