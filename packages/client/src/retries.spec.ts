import { pauseAfter, sleep, withDefaults } from './retries.js';

const OPTIONS = withDefaults({ pauseMs: 100 });
const answer = (status: number, retryAfter?: string) =>
  new Response(null, { status, headers: retryAfter === undefined ? {} : { 'Retry-After': retryAfter } });

describe('the pause after an answer', () => {
  it.each([200, 400, 401, 404, 409, 412, 500])('there is none after %i, which is final', (status) => {
    expect(pauseAfter(answer(status), undefined, 1, OPTIONS)).toBeUndefined();
  });

  it.each([429, 502, 503, 504])('there is one after %i, longer each time, until attempts run out', (status) => {
    const pauses = [1, 2, 3, 4].map((attempt) => pauseAfter(answer(status), undefined, attempt, OPTIONS));
    expect(pauses[3]).toBeUndefined();
    const [first, second, third] = pauses as number[];
    for (const [index, pause] of [first!, second!, third!].entries()) {
      expect(pause).toBeGreaterThanOrEqual(75 * 2 ** index);
      expect(pause).toBeLessThanOrEqual(125 * 2 ** index);
    }
  });

  it('there is one while the first of two equal requests is running', () => {
    expect(pauseAfter(answer(409), 'REQUEST_IN_PROGRESS', 1, OPTIONS)).toBeGreaterThan(0);
  });

  it('is as long as the service wants, up to a bound', () => {
    expect(pauseAfter(answer(503, '2'), undefined, 1, OPTIONS)).toBe(2000);
    expect(pauseAfter(answer(429, '900'), undefined, 1, OPTIONS)).toBeUndefined();
  });
});

describe('sleep', () => {
  it('ends with the reason of an abort, before or meanwhile', async () => {
    const reason = new Error('enough');
    await expect(sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const sleeping = sleep(60_000, controller.signal);
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
  });
});
