import fc from 'fast-check';

export const INSTANCES = 3;
export const USERS = 3;
/** Tasks of each user that are changed over and over. */
export const SLOTS = 2;
/** One lane changes one task of one user, so that its versions have an order; it reads those of all. */
export const LANES = USERS * SLOTS;
const STEPS = 8;

/** What happens to Redis or an instance while the lanes work. */
export const FAULTS = [
  'none',
  'slow', // one instance's way to Redis
  'cut', // one instance from Redis
  'silent', // one instance's way to Redis: nothing it sends arrives, and nobody says so
  'frozen', // one instance
  'flushed',
  'paused',
  'killed',
  'restored', // Redis, from an old snapshot
  'late', // what one instance stores: another one has changed it meanwhile
  'died', // one instance, between a commit and its invalidation
  'woken', // one instance, which was stopped while the others, cut from Redis, went on
  'moved', // all but one instance, to another Redis
] as const;
export type Fault = (typeof FAULTS)[number];

export type Step =
  | { kind: 'change' | 'create'; instance: number }
  | { kind: 'list' | 'one' | 'stats'; instance: number; user: number; slot: number; limit: number };

export interface Round {
  fault: Fault;
  /** The one that the fault happens to, where it is an instance's. */
  victim: number;
  lanes: Step[][];
}

const instance = fc.nat(INSTANCES - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('change' as const), instance }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('create' as const), instance }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom('list' as const, 'list' as const, 'one' as const, 'stats' as const),
      instance,
      user: fc.nat(USERS - 1),
      slot: fc.nat(SLOTS - 1),
      limit: fc.constantFrom(5, 6),
    }),
  },
);
const lanes = fc.array(fc.array(step, { minLength: STEPS, maxLength: STEPS }), { minLength: LANES, maxLength: LANES });

/** Rounds in which each fault comes as often as the others, in any order. */
export function script(rounds: number): fc.Arbitrary<Round[]> {
  const block = fc
    .shuffledSubarray([...FAULTS], { minLength: FAULTS.length, maxLength: FAULTS.length })
    .chain((faults) =>
      fc.tuple(...faults.map((fault) => fc.record({ fault: fc.constant(fault), victim: instance, lanes }))),
    );
  const blocks = Math.ceil(rounds / FAULTS.length);
  return fc.array(block, { minLength: blocks, maxLength: blocks }).map((found) => found.flat().slice(0, rounds));
}
