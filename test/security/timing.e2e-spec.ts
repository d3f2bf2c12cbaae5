import { ApiClient } from '../support/api-client.js';
import { startService } from '../support/service.js';
import { newEmail, registerUser } from '../support/users.js';

const AUTH = '/api/v1/auth';
const SAMPLES = 60;
const WARM_UP = 6;
/** Noise passes; a difference of the code's own is there each time. */
const ATTEMPTS = 3;

let anonymous: ApiClient;
beforeAll(async () => {
  // Locks and limits would end the measurement; they hold for known and unknown addresses alike.
  const unlimited = '1000000';
  const service = await startService({ LOGIN_LOCK_FAILURES: unlimited, LOGIN_ADDRESS_FAILURES: unlimited });
  anonymous = new ApiClient(service);
  for (let count = 0; count < KNOWN; count++) known.push((await registerUser(service)).email);
});

const KNOWN = 5;
const known: string[] = [];
type Ask = (email: string) => Promise<unknown>;

async function millisecondsOf(ask: Ask, email: string): Promise<number> {
  const started = performance.now();
  await ask(email);
  return performance.now() - started;
}

/** Pairs one after the other, in turn the known or the unknown address first: drift and load hit both alike. */
async function measure(ask: Ask): Promise<{ known: number[]; unknown: number[] }> {
  const times = { known: [] as number[], unknown: [] as number[] };
  for (let sample = -WARM_UP; sample < SAMPLES; sample++) {
    const pair = [
      ['known', known[(sample + WARM_UP) % KNOWN] as string],
      ['unknown', newEmail()],
    ] as const;
    for (const [kind, email] of sample % 2 ? pair : pair.toReversed()) {
      const time = await millisecondsOf(ask, email);
      if (sample >= 0) times[kind].push(time);
    }
  }
  return times;
}

function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * share)] as number;
}

/**
 * How often a known address takes longer than an unknown one, over all pairs (the Mann-Whitney statistic): a half where
 * the distributions are the same, 0 or 1 where they lie apart. Other than a difference in milliseconds it doesn't depend
 * on how fast the machine is.
 */
function shareOfSlowerKnown({ known: slow, unknown: fast }: Awaited<ReturnType<typeof measure>>): number {
  const wins = slow.flatMap((a) => fast.map((b) => (a > b ? 1 : a === b ? 0.5 : 0) as number));
  return wins.reduce((sum, win) => sum + win, 0) / wins.length;
}

describe.each<[string, Ask]>([
  ['logging in', (email) => anonymous.post(`${AUTH}/login`, { email, password: 'not-the-password' })],
  ['a forgotten password', (email) => anonymous.post(`${AUTH}/password/forgot`, { email })],
])('%s', (_, ask) => {
  it('takes the same time for a known address and an unknown one', async () => {
    const attempts: string[] = [];
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const times = await measure(ask);
      const [share, medians] = [
        shareOfSlowerKnown(times),
        [times.known, times.unknown].map((each) => quantile(each, 0.5)),
      ];
      const spread = quantile(times.unknown, 0.75) - quantile(times.unknown, 0.25);
      const apart = Math.abs((medians[0] as number) - (medians[1] as number));
      if (Math.abs(share - 0.5) < 0.2 && apart < Math.max(spread, 1)) return;
      attempts.push(`medians ${medians.map((each) => each.toFixed(2)).join(' and ')} ms, ${share.toFixed(2)} slower`);
    }
    throw new Error(`known and unknown addresses can be told apart: ${attempts.join('; ')}`);
  });
});
