import { Circuits } from './circuit.js';

const NOW = 1_800_000_000_000;

function fail(circuits: Circuits, times: number, now = NOW): void {
  for (let time = 0; time < times; time++) {
    circuits.begin('slow.test');
    circuits.end('slow.test', false, 0, now);
  }
}

describe('circuits', () => {
  it('let each receiver have so many messages at once', () => {
    const circuits = new Circuits(2);
    circuits.begin('a.test');
    circuits.begin('b.test');
    expect(circuits.closedOff(NOW)).toEqual([]);
    circuits.begin('a.test');
    expect(circuits.closedOff(NOW)).toEqual(['a.test']);
    circuits.end('a.test', true, 0, NOW);
    expect(circuits.closedOff(NOW)).toEqual([]);
  });

  it('leave alone who fails five times in succession, then try with one, and leave alone for longer', () => {
    const circuits = new Circuits(3);
    fail(circuits, 4);
    expect(circuits.closedOff(NOW)).toEqual([]);
    fail(circuits, 1);
    expect(circuits.closedOff(NOW + 4999)).toEqual(['slow.test']);
    expect(circuits.closedOff(NOW + 5000)).toEqual([]);
    circuits.begin('slow.test');
    expect(circuits.closedOff(NOW + 5000)).toEqual(['slow.test']);
    circuits.end('slow.test', false, 0, NOW + 5000);
    expect(circuits.closedOff(NOW + 14_999)).toEqual(['slow.test']);
    expect(circuits.closedOff(NOW + 15_000)).toEqual([]);
  });

  it('count failures of messages that were sent at the same time as one outage', () => {
    const circuits = new Circuits(20);
    for (let message = 0; message < 20; message++) circuits.begin('slow.test');
    for (let message = 0; message < 20; message++) circuits.end('slow.test', false, 0, NOW);
    expect(circuits.closedOff(NOW + 4999)).toEqual(['slow.test']);
    expect(circuits.closedOff(NOW + 5000)).toEqual([]);
  });

  it('pause no receiver for more than five minutes', () => {
    const circuits = new Circuits(3);
    for (let hour = 0; hour < 50; hour++) fail(circuits, 1, NOW + hour * 3_600_000);
    const last = NOW + 49 * 3_600_000;
    expect(circuits.closedOff(last + 299_999)).toEqual(['slow.test']);
    expect(circuits.closedOff(last + 300_000)).toEqual([]);
  });

  it('forget failures once something works', () => {
    const circuits = new Circuits(3);
    fail(circuits, 4);
    circuits.begin('slow.test');
    circuits.end('slow.test', true, 0, NOW);
    fail(circuits, 4);
    expect(circuits.countOpen(NOW)).toBe(0);
  });

  it('learn nothing from what had nothing to do with the receiver', () => {
    const circuits = new Circuits(3);
    fail(circuits, 4);
    circuits.begin('slow.test');
    circuits.end('slow.test', undefined, 0, NOW);
    fail(circuits, 1);
    expect(circuits.countOpen(NOW)).toBe(1);
  });

  it('leave alone who asks for it', () => {
    const circuits = new Circuits(3);
    circuits.begin('busy.test');
    circuits.end('busy.test', false, 30_000, NOW);
    expect(circuits.closedOff(NOW + 29_999)).toEqual(['busy.test']);
    expect(circuits.closedOff(NOW + 30_000)).toEqual([]);
  });
});
