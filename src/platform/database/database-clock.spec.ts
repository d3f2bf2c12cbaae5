import { DatabaseClock } from './database-clock.js';

/** The database's clock is so far from this process's monotonic clock. */
const OFFSET = 1_800_000_000_000;

/** An answer that took `tripMs` each way, to a question that was sent `ago` milliseconds ago. */
function reading(ago: number, tripMs: number, offset = OFFSET) {
  const sentAt = performance.now() - ago;
  return { sentAt, databaseTime: Math.floor(sentAt + tripMs + offset), receivedAt: sentAt + 2 * tripMs };
}

const errorOf = (clock: DatabaseClock) => Math.abs(clock.now() - (performance.now() + OFFSET));

describe("the database's clock", () => {
  it('is that of this machine until the first answer of the database', () => {
    expect(Math.abs(new DatabaseClock().now() - Date.now())).toBeLessThan(1000);
    expect(Math.abs(new DatabaseClock().skewMs)).toBeLessThan(1000);
  });

  it('is known as exactly as the quickest answer allows', () => {
    const clock = new DatabaseClock();
    clock.adjust(reading(1000, 400));
    expect(errorOf(clock)).toBeLessThan(410);
    clock.adjust(reading(50, 10));
    expect(errorOf(clock)).toBeLessThan(15);
  });

  it('is not moved by an answer that a pause of this process has delayed', () => {
    const clock = new DatabaseClock();
    clock.adjust(reading(50, 1));
    const { sentAt, databaseTime } = reading(12_000, 1);
    clock.adjust({ sentAt, databaseTime, receivedAt: performance.now() });
    expect(errorOf(clock)).toBeLessThan(5);
  });

  it('follows a database whose clock is set, or another one that takes over', () => {
    const clock = new DatabaseClock();
    clock.adjust(reading(50, 1, OFFSET + 60_000));
    clock.adjust(reading(50, 1));
    expect(errorOf(clock)).toBeLessThan(5);
    clock.adjust(reading(50, 1, OFFSET - 60_000));
    clock.adjust(reading(50, 1));
    expect(errorOf(clock)).toBeLessThan(5);
  });

  it('gives how far the clock of this machine is ahead', () => {
    const clock = new DatabaseClock();
    clock.adjust(reading(50, 1, Date.now() - performance.now() - 90_000));
    expect(Math.abs(clock.skewMs - 90_000)).toBeLessThan(20);
  });
});
