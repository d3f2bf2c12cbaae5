import fc from 'fast-check';
import { DateTime } from 'luxon';
import { nextDigest, quietUntil } from './local-time.js';

const VIENNA = 'Europe/Vienna';
const NIGHT = { start: '22:00', end: '07:00' };
/** With clocks that change in either half of the year, by half an hour, at midnight, or never. */
const ZONES = [
  VIENNA,
  'America/New_York',
  'Australia/Lord_Howe',
  'America/Santiago',
  'Africa/Cairo',
  'Asia/Kolkata',
  'UTC',
];

/** The moment of a time in Vienna, or of one with an offset. */
function at(time: string): Date {
  return DateTime.fromISO(time, { zone: VIENNA }).toJSDate();
}

describe('quiet hours', () => {
  it.each([
    ['2026-06-01T21:59:59', NIGHT, null],
    ['2026-06-01T22:00:00', NIGHT, '2026-06-02T07:00'],
    ['2026-06-02T03:00:00', NIGHT, '2026-06-02T07:00'],
    ['2026-06-02T06:59:59', NIGHT, '2026-06-02T07:00'],
    ['2026-06-02T07:00:00', NIGHT, null],
    ['2026-06-02T13:30:00', { start: '13:00', end: '14:00' }, '2026-06-02T14:00'],
    ['2026-06-02T14:30:00', { start: '13:00', end: '14:00' }, null],
    ['2026-06-02T12:00:00', { start: '12:00', end: '12:00' }, null],
    // The night on which clocks skip from 2 to 3, and the one on which they show 2 to 3 twice.
    ['2026-03-29T01:30:00', NIGHT, '2026-03-29T07:00'],
    ['2026-03-29T01:30:00', { start: '22:00', end: '02:30' }, '2026-03-29T03:30'],
    ['2026-10-25T02:30:00+02:00', NIGHT, '2026-10-25T07:00'],
    ['2026-10-25T02:10:00+02:00', { start: '22:00', end: '02:30' }, '2026-10-25T02:30+02:00'],
    ['2026-10-25T02:10:00+01:00', { start: '22:00', end: '02:30' }, null],
  ])('at %s, quiet %j: until %s', (now, hours, until) => {
    expect(quietUntil(at(now), hours, VIENNA)).toEqual(until === null ? null : at(until));
  });

  it('end once, at a moment that is not quiet, within a day and what clocks change by, in any zone', () => {
    const time = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 })).map(([hour, minute]) => {
      return `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
    });
    const moment = fc.date({ min: new Date('2020-01-01'), max: new Date('2035-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(moment, time, time, fc.constantFrom(...ZONES), (now, start, end, zone) => {
        const until = quietUntil(now, { start, end }, zone);
        if (until === null) return;
        expect(until.getTime()).toBeGreaterThan(now.getTime());
        expect(until.getTime() - now.getTime()).toBeLessThanOrEqual(26 * 3_600_000);
        expect(quietUntil(until, { start, end }, zone)).toBeNull();
      }),
      { numRuns: 500 },
    );
  });
});

describe('the daily digest', () => {
  it.each([
    ['2026-06-01T07:59:59', '2026-06-01T08:00'],
    ['2026-06-01T08:00:00', '2026-06-02T08:00'],
    ['2026-03-28T12:00:00', '2026-03-29T08:00'],
    ['2026-10-24T12:00:00', '2026-10-25T08:00'],
    ['2026-12-31T23:30:00', '2027-01-01T08:00'],
  ])('after %s is at %s', (now, next) => {
    expect(nextDigest(at(now), VIENNA)).toEqual(at(next));
  });

  it('comes once for each day, at eight by the clocks there, in any zone', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('2020-01-01'), max: new Date('2035-01-01'), noInvalidDate: true }),
        fc.constantFrom(...ZONES),
        (now, zone) => {
          const first = nextDigest(now, zone);
          const second = nextDigest(first, zone);
          expect(first.getTime()).toBeGreaterThan(now.getTime());
          expect(nextDigest(new Date(first.getTime() - 1), zone)).toEqual(first);
          const [one, other] = [first, second].map((each) => DateTime.fromJSDate(each, { zone })) as [
            DateTime,
            DateTime,
          ];
          expect([one, other].map((each) => each.toFormat('HH:mm'))).toEqual(['08:00', '08:00']);
          const dayOf = (each: DateTime) => DateTime.fromISO(each.toISODate() as string);
          expect(dayOf(other).diff(dayOf(one), 'days').days).toBe(1);
        },
      ),
      { numRuns: 300 },
    );
  });
});
