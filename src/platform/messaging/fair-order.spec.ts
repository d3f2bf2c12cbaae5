import { FairOrder, laneOf } from './fair-order.js';

const NOW = 1_800_000_000_000;
const taskOf = (userId: string) => ({ type: 'tasks.task-completed.v1', subject: 'some-task', data: { userId } });
const accountOf = (userId: string) => ({ type: 'auth.password-changed.v1', subject: userId, data: {} });

describe('the fair order of events', () => {
  it('puts the first event of a user before all but the first of a user with ten thousand', () => {
    const order = new FairOrder();
    const burst = Array.from({ length: 10_000 }, () => order.next(taskOf('a'), NOW));
    const single = order.next(taskOf('b'), NOW + 500);
    expect(burst.filter((position) => position <= single)).toHaveLength(1);
  });

  it('takes the events of two bursts in turn', () => {
    const order = new FairOrder();
    const first = Array.from({ length: 100 }, () => ({ lane: 'a', at: order.next(taskOf('a'), NOW) }));
    const second = Array.from({ length: 100 }, () => ({ lane: 'b', at: order.next(taskOf('b'), NOW) }));
    const sorted = [...first, ...second].sort((one, other) => one.at.getTime() - other.at.getTime());
    for (let from = 0; from < sorted.length; from += 2) {
      expect(new Set(sorted.slice(from, from + 2).map(({ lane }) => lane)).size).toBe(2);
    }
  });

  it('keeps account events before the same user’s task events', () => {
    const order = new FairOrder();
    const tasks = Array.from({ length: 5000 }, () => order.next(taskOf('a'), NOW));
    const account = order.next(accountOf('a'), NOW + 60_000);
    expect(tasks.every((position) => account < position)).toBe(true);
  });

  it('makes every event due at once, and gives older ones of a burst their turn after an hour', () => {
    const order = new FairOrder();
    const burst = Array.from({ length: 10_000 }, () => order.next(taskOf('a'), NOW));
    expect(burst.every((position) => position.getTime() <= NOW)).toBe(true);
    const later = order.next(taskOf('b'), NOW + 3_600_001);
    expect(burst.every((position) => position < later)).toBe(true);
  });

  it('knows a burst, which is over once its lane has been quiet for as long', () => {
    const order = new FairOrder();
    for (let count = 0; count < 50; count++) order.next(taskOf('a'), NOW);
    expect(order.isInBurst(taskOf('a'), NOW)).toBe(true);
    expect(order.isInBurst(accountOf('a'), NOW)).toBe(false);
    expect(order.isInBurst(taskOf('b'), NOW)).toBe(false);
    expect(order.isInBurst(taskOf('a'), NOW + 60_000)).toBe(false);
  });

  it('takes a task’s user from its data and an account’s from its subject', () => {
    expect(laneOf(taskOf('a'))).toBe('tasks:a');
    expect(laneOf(accountOf('a'))).toBe('auth:a');
  });
});
