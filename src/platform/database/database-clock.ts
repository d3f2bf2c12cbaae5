import type { mongo } from 'mongoose';

/** An answer of the database with its time; when it was asked for and received is by the monotonic clock. In milliseconds. */
export interface ClockReading {
  sentAt: number;
  databaseTime: number;
  receivedAt: number;
}

/**
 * The database's clock, as this process knows it: the monotonic clock plus an offset that each answer of the database
 * narrows down. Instances share it, so a due time, a lease or an expiry that one stores means the same to all
 * others, although their own clocks differ.
 */
export class DatabaseClock {
  /** Of the database's time from the monotonic clock, in milliseconds; undefined before the first reading. */
  private offset?: number;

  /** The database's time in milliseconds; before the first reading, the time of this machine. */
  now(): number {
    return this.offset === undefined ? Date.now() : Math.floor(performance.now() + this.offset);
  }

  /** By how much this machine's clock is ahead of the database's, in milliseconds; negative where it is behind. */
  get skewMs(): number {
    return Date.now() - this.now();
  }

  /**
   * The database read its clock between question and answer, so the offset lies between two bounds. An offset that lies
   * there stays, so that time rarely steps; and an answer that took long, or a process that was paused meanwhile, gives wide
   * bounds and changes little.
   */
  adjust({ sentAt, databaseTime, receivedAt }: ClockReading): void {
    const lowest = databaseTime - receivedAt;
    const highest = databaseTime + 1 - sentAt; // its answer is in whole milliseconds
    this.offset = Math.min(highest, Math.max(lowest, this.offset ?? (lowest + highest) / 2));
  }
}

/** Of the process's one database. */
export const databaseClock = new DatabaseClock();

/**
 * The time by the database's clock, in milliseconds. For every time that is stored or compared with a stored one: a
 * lease, a due time, an expiry.
 */
export function databaseNow(): number {
  return databaseClock.now();
}

/** @param fromNow in milliseconds @returns a time by the database's clock */
export function databaseDate(fromNow = 0): Date {
  return new Date(databaseNow() + fromNow);
}

/** Asks the database for its time. @throws what the driver throws */
export async function readDatabaseClock(database: mongo.Db): Promise<void> {
  const sentAt = performance.now();
  const { localTime } = (await database.command({ hello: 1 })) as { localTime: Date };
  databaseClock.adjust({ sentAt, databaseTime: localTime.getTime(), receivedAt: performance.now() });
}
