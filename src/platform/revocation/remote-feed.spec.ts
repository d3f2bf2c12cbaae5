import { RemoteFeed } from './remote-feed.js';

const WITHOUT_BROKER_MS = 900_000;
const RESUMABLE_MS = 600_000;
const LIMIT_MS = 10_000;

let now: number;
let feed: RemoteFeed;
beforeEach(() => {
  now = 50_000;
  feed = new RemoteFeed('auth', RESUMABLE_MS, WITHOUT_BROKER_MS, () => now);
});

const answer = (by: 'broker' | 'redis', readAt = 1_000_000) => feed.accept({ endings: [], readAt }, now, by);

it('is not too old before the first answer where none is expected: an earlier release gives none', () => {
  now += 10 * WITHOUT_BROKER_MS;
  expect([feed.isTooOld, feed.since]).toEqual([false, null]);
});

it('is too old ten seconds after its start where answers are expected and none has come', () => {
  feed.expectAnswers();
  now += LIMIT_MS;
  expect([feed.isTooOld, feed.since]).toEqual([false, null]);
  now += 1;
  expect([feed.isTooOld, feed.since]).toEqual([true, null]);
  answer('redis');
  expect(feed.isTooOld).toBe(false);
});

it('asks for what follows the last answer, and some time before it', () => {
  answer('broker');
  expect(feed.since).toBe(970_000);
});

it('is too old ten seconds after the last question that was answered, and goes on from there', () => {
  answer('broker');
  now += LIMIT_MS;
  expect(feed.isTooOld).toBe(false);
  now += 1;
  expect([feed.isTooOld, feed.since]).toEqual([true, 970_000]);
  answer('redis');
  expect(feed.isTooOld).toBe(false);
});

it('asks for everything once entries that it missed may have expired', () => {
  answer('broker');
  now += RESUMABLE_MS;
  expect(feed.since).toBe(970_000);
  now += 1;
  expect(feed.since).toBeNull();
});

it('accepts answers through Redis alone for the life of an access token', () => {
  answer('broker');
  for (const end = now + WITHOUT_BROKER_MS; now < end; now += LIMIT_MS) {
    answer('redis');
    expect(feed.isTooOld).toBe(false);
  }
  now += 1;
  answer('redis');
  expect([feed.isTooOld, feed.since]).toEqual([true, 970_000]);
  answer('broker');
  expect(feed.isTooOld).toBe(false);
});
