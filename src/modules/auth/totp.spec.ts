import { Secret } from 'otpauth';
import { matchingStep, totpOf } from './totp.js';

const SECRET = new Secret({ size: 20 }).base32;
const STEP_MS = 30_000;
const STEP = 60_000_000;
const codeOf = (step: number) => totpOf(SECRET, '').generate({ timestamp: step * STEP_MS });

describe('matchingStep', () => {
  it.each([-1, 0, 1])('finds the step of a code that is %d steps away', (away) => {
    expect(matchingStep(SECRET, codeOf(STEP + away), -1, STEP * STEP_MS)).toBe(STEP + away);
  });

  it.each([-2, 2])('takes no code that is %d steps away', (away) => {
    expect(matchingStep(SECRET, codeOf(STEP + away), -1, STEP * STEP_MS)).toBeNull();
  });

  it('gives a code the same step before and after the boundary of two, so that it works once', () => {
    const code = codeOf(STEP);
    const used = matchingStep(SECRET, code, -1, STEP * STEP_MS - 1);
    expect(used).toBe(STEP);
    expect(matchingStep(SECRET, code, used!, STEP * STEP_MS)).toBeNull();
  });

  it("goes by the given time, not by this machine's clock", () => {
    const [before, after] = [0, 1].map((hours) => Date.now() + hours * 3_600_000) as [number, number];
    const code = totpOf(SECRET, '').generate({ timestamp: after });
    expect(matchingStep(SECRET, code, -1, before)).toBeNull();
    expect(matchingStep(SECRET, code, -1, after)).toBe(Math.floor(after / STEP_MS));
  });
});
