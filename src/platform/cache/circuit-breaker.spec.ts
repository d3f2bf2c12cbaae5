import { jest } from '@jest/globals';
import { CircuitBreaker } from './circuit-breaker.js';

const hanging = () => new Promise<never>(() => undefined);
const failing = () => Promise.reject(new Error('gone'));

describe('the circuit breaker', () => {
  let breaker: CircuitBreaker;
  beforeEach(() => {
    jest.useFakeTimers();
    breaker = new CircuitBreaker();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('gives what the call gives', async () => {
    await expect(breaker.call(() => Promise.resolve('answer'))).resolves.toBe('answer');
    expect(breaker.isOpen).toBe(false);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('opens at a failure: nothing is called for a second, then again', async () => {
    const call = jest.fn(() => Promise.resolve('answer'));
    await expect(breaker.call(failing)).rejects.toThrow('gone');
    await expect(breaker.call(call)).rejects.toThrow('open');
    expect([breaker.isOpen, call.mock.calls.length]).toEqual([true, 0]);
    jest.advanceTimersByTime(999);
    expect(breaker.isOpen).toBe(true);
    jest.advanceTimersByTime(1);
    await expect(breaker.call(call)).resolves.toBe('answer');
  });

  it('opens at a call that takes too long, without waiting for it', async () => {
    const outcome = expect(breaker.call(hanging)).rejects.toThrow('no answer within 250 ms');
    await jest.advanceTimersByTimeAsync(250);
    await outcome;
    expect(breaker.isOpen).toBe(true);
  });

  it('waits as long as a call is allowed to take', async () => {
    const outcome = breaker.call(() => new Promise((resolve) => setTimeout(() => resolve('late'), 249)));
    await jest.advanceTimersByTimeAsync(249);
    await expect(outcome).resolves.toBe('late');
  });
});
