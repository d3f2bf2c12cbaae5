import { DateTime } from 'luxon';

const DIGEST_HOUR = '08:00';

/**
 * The moment when clocks in a zone show this time on the day of `day`. Where they skip it, it is reckoned as if they didn't, so
 * it comes later by as much as they skip; where they show it twice, it is the first (RFC 5545, 3.3.5).
 *
 * @param time `HH:MM`
 */
function momentOf(day: DateTime, time: string): DateTime {
  const [hour, minute] = time.split(':').map(Number);
  const moment = day.set({ hour, minute, second: 0, millisecond: 0 });
  return moment.getPossibleOffsets()[0] ?? moment;
}

/**
 * The end of the quiet hours that `now` is in, or null where it is in none.
 *
 * @param zone IANA name
 */
export function quietUntil(now: Date, { start, end }: { start: string; end: string }, zone: string): Date | null {
  if (start === end) return null;
  const today = DateTime.fromJSDate(now, { zone });
  for (const day of [today.minus({ days: 1 }), today]) {
    const begins = momentOf(day, start);
    const ends = momentOf(end > start ? day : day.plus({ days: 1 }), end);
    if (begins.toMillis() <= now.getTime() && now.getTime() < ends.toMillis()) return ends.toJSDate();
  }
  return null;
}

/** The next moment for a daily digest after `now`, in the user's zone. */
export function nextDigest(now: Date, zone: string): Date {
  const today = DateTime.fromJSDate(now, { zone });
  const at = [today, today.plus({ days: 1 })].map((day) => momentOf(day, DIGEST_HOUR)).find((each) => +each > +now);
  if (!at) throw new RangeError(`a day without an end in ${zone}`);
  return at.toJSDate();
}
