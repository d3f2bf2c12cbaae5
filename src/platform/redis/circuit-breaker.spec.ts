import { jest } from '@jest/globals';
import { CircuitBreaker } from './circuit-breaker.js';

const failing = () => Promise.reject(new Error('gone'));
const answering = () => Promise.resolve('answer');

describe('the circuit breaker', () => {
  let probe: jest.Mock<() => Promise<unknown>>;
  let breaker: CircuitBreaker;
  beforeEach(() => {
    jest.useFakeTimers();
    probe = jest.fn(failing);
    breaker = new CircuitBreaker(probe, (error) => (error as Error).message === 'gone');
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('gives what the call gives', async () => {
    await expect(breaker.call(answering)).resolves.toBe('answer');
    expect(breaker.isOpen).toBe(false);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('opens at a failure: nothing is called until a probe is answered', async () => {
    const call = jest.fn(answering);
    await expect(breaker.call(failing)).rejects.toThrow('gone');
    await expect(breaker.call(call)).rejects.toThrow('open');
    await jest.advanceTimersByTimeAsync(1000);
    expect([breaker.isOpen, call.mock.calls.length, probe.mock.calls.length]).toEqual([true, 0, 2]);
    probe.mockImplementation(answering);
    await jest.advanceTimersByTimeAsync(500);
    await expect(breaker.call(call)).resolves.toBe('answer');
  });

  it('stays closed at an answer that is an error', async () => {
    await expect(breaker.call(() => Promise.reject(new Error('out of memory')))).rejects.toThrow('out of memory');
    expect(breaker.isOpen).toBe(false);
  });

  it('probes once at a time, however many calls fail together', async () => {
    await Promise.allSettled([breaker.call(failing), breaker.call(failing), breaker.call(failing)]);
    await jest.advanceTimersByTimeAsync(500);
    expect(probe).toHaveBeenCalledTimes(1);
  });

  it('asks nobody any more once it is stopped', async () => {
    await expect(breaker.call(failing)).rejects.toThrow('gone');
    breaker.stop();
    await jest.advanceTimersByTimeAsync(2000);
    expect(probe).not.toHaveBeenCalled();
  });
});
