import { Counter } from 'prom-client';
import { CACHE_SCOPES } from '../../contracts/cache-scope.js';

/** Hit ratio: `hit` over all outcomes. */
export const requests = new Counter({
  name: 'response_cache_requests_total',
  help: 'Cacheable requests by scope and outcome (hit, miss, bypass)',
  labelNames: ['scope', 'outcome'],
});

export const bypasses = new Counter({
  name: 'response_cache_bypasses_total',
  help: 'Requests that bypassed the cache, by reason (disabled, redis, flag, lease)',
  labelNames: ['reason'],
});

export const fills = new Counter({
  name: 'response_cache_fills_total',
  help: 'Answers offered to the cache, by outcome (stored, outdated by a write, too_large, failed)',
  labelNames: ['outcome'],
});

export const fillWaits = new Counter({
  name: 'response_cache_fill_waits_total',
  help: 'Misses that waited for another request of this process to fill the same answer',
});

export const flagsSet = new Counter({
  name: 'response_cache_flags_set_total',
  help: 'Writes whose invalidation could not be made, so that all processes bypass the cache',
});

export const repairs = new Counter({
  name: 'response_cache_repairs_total',
  help: 'Invalidations made for a writer that died or could not reach Redis',
});

// From 0 on: a series that began with its first count would have grown by nothing.
for (const scope of CACHE_SCOPES) {
  for (const outcome of ['hit', 'miss', 'bypass']) requests.inc({ scope, outcome }, 0);
}
for (const reason of ['disabled', 'redis', 'flag', 'lease']) bypasses.inc({ reason }, 0);
for (const outcome of ['stored', 'outdated', 'too_large', 'failed']) fills.inc({ outcome }, 0);
