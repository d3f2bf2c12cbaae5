import { LRUCache } from 'lru-cache';
import { databaseNow } from '../database/database-clock.js';
import { type AboutSomebody, ownerOf } from './event-owner.js';

/** Every event of a lane takes a position this much later than the one before it, in milliseconds. */
const STEP_MS = 1_000;
/**
 * How far before the present the first position of a lane is, in milliseconds. Nothing waits for longer than that behind
 * events that were published later.
 */
const HEAD_START_MS = 3_600_000;
/** Events about accounts precede all others: they carry log-in alarms, links and new profiles. */
const ACCOUNT_MODULES = new Set(['auth', 'users']);
/** A lane that is so many positions ahead of the clock is in a burst. */
const BURST_POSITIONS = 20;
/** Lanes that were quiet for longest are forgotten first; that only gives them a new head start. */
const MAX_LANES = 50_000;

/** Events of one user from one module form a lane: the unit between which the queues are fair. */
export function laneOf(event: AboutSomebody): string {
  return `${moduleOf(event)}:${ownerOf(event)}`;
}

/**
 * Start-time fair queueing: gives events positions so that a lane with many events doesn't delay the others. Each event of
 * a lane gets a position one step after the one before; a lane that was quiet begins a head start before the present. So
 * the ten-thousandth event of a burst sorts after the first event of everybody else, and idle capacity still goes to the
 * burst. State is kept in memory, per process: the positions themselves are stored with the events.
 */
export class FairOrder {
  private readonly lastPositions = new LRUCache<string, number>({ max: MAX_LANES });

  /** @returns a time that is not after `now`; events are taken in the order of these times */
  next(event: AboutSomebody, now = databaseNow()): Date {
    const lane = laneOf(event);
    const first = now - HEAD_START_MS;
    const position = Math.min(now, Math.max(first, (this.lastPositions.get(lane) ?? 0) + STEP_MS));
    this.lastPositions.set(lane, position);
    const isAboutAccount = ACCOUNT_MODULES.has(moduleOf(event));
    return new Date(isAboutAccount ? position - HEAD_START_MS : position);
  }

  /** Whether the event's lane has had many events just before. */
  isInBurst(event: AboutSomebody, now = databaseNow()): boolean {
    const ahead = (this.lastPositions.get(laneOf(event)) ?? 0) - (now - HEAD_START_MS);
    return ahead > BURST_POSITIONS * STEP_MS;
  }
}

function moduleOf({ type }: AboutSomebody): string {
  return type.split('.')[0] ?? '';
}
