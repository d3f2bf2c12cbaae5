import { type ClusterState, OtherShardKeyError, planSharding, scatteringQueries, type Step } from './plan.js';
import { EMAIL_ZONES, SHARD_KEYS } from './shard-keys.js';

const EMPTY: ClusterState = {
  shards: ['a', 'b', 'c'].map((id) => ({ id, zones: [] })),
  keys: {},
  emailZones: [],
};

/** The cluster after the steps, as far as the plan looks at it. */
function after(state: ClusterState, steps: Step[]): ClusterState {
  const next = structuredClone(state);
  for (const { command } of steps) {
    const { addShardToZone, updateZoneKeyRange, shardCollection, zone, key } = command;
    if (addShardToZone) next.shards.find(({ id }) => id === addShardToZone)!.zones.push(zone as string);
    if (updateZoneKeyRange) next.emailZones.push(zone as string);
    if (shardCollection) next.keys[(shardCollection as string).split('.')[1]!] = key as object;
  }
  return next;
}

describe('planSharding', () => {
  it('gives each zone a shard and a range, and every collection its key, zones first', () => {
    const steps = planSharding('app', EMPTY);
    const names = steps.map(({ command }) => Object.keys(command)[0]);
    expect(names.slice(0, 6)).toEqual([
      ...EMAIL_ZONES.map(() => 'addShardToZone'),
      ...EMAIL_ZONES.map(() => 'updateZoneKeyRange'),
    ]);
    const done = after(EMPTY, steps);
    expect(done.keys).toEqual(SHARD_KEYS);
    expect(done.shards.map(({ zones }) => zones)).toEqual(EMAIL_ZONES.map(({ name }) => [name]));
  });

  it('makes an index of a key before sharding by it, but for the one that is always there', () => {
    const commands = planSharding('app', EMPTY).map(({ command }) => command);
    commands.forEach(({ shardCollection, key }, index) => {
      if (!shardCollection || shardCollection === 'app.emails') return;
      expect(commands[index - 1]).toMatchObject({
        createIndexes: (shardCollection as string).split('.')[1],
        indexes: [{ key }],
      });
    });
    expect(commands).not.toContainEqual(expect.objectContaining({ createIndexes: 'emails' }));
  });

  it('has nothing left to do where all is done, and goes on wherever it was interrupted', () => {
    const steps = planSharding('app', EMPTY);
    for (let done = 0; done <= steps.length; done += 1) {
      const interrupted = after(EMPTY, steps.slice(0, done));
      const rest = planSharding('app', interrupted);
      expect(planSharding('app', after(interrupted, rest))).toEqual([]);
      expect(rest.length).toBeLessThanOrEqual(steps.length - done + 1); // an index is asked for again
    }
  });

  it('shares the zones out over fewer shards, too', () => {
    const { shards } = after(
      { ...EMPTY, shards: [{ id: 'only', zones: [] }] },
      planSharding('app', { ...EMPTY, shards: [{ id: 'only', zones: [] }] }),
    );
    expect(shards[0]!.zones).toHaveLength(3);
  });

  it('refuses a collection that is sharded by something else', () => {
    expect(() => planSharding('app', { ...EMPTY, keys: { notifications: { createdAt: 1 } } })).toThrow(
      OtherShardKeyError,
    );
  });
});

describe('scatteringQueries', () => {
  it('names what asks every shard, and nothing that each request does', () => {
    expect(scatteringQueries(EMPTY).map(({ what }) => what)).toEqual([
      "a user's sessions",
      "the managers' list of users",
      "a user's API keys",
    ]);
  });

  it('looks at the keys that a cluster really has', () => {
    const found = scatteringQueries({ keys: { notifications: { createdAt: 1 } } });
    expect(found).toContainEqual(
      expect.objectContaining({ collection: 'notifications', what: 'notifications, and how many are unread' }),
    );
  });
});
