import { Claim } from '../../src/platform/work/claim.js';

const LEASE_MS = 60_000;

/** A claim on work that has just been taken. */
export function heldClaim(): Claim {
  return new Claim(() => Promise.resolve(true), LEASE_MS, performance.now());
}

/** The claim of a process that was paused, while another one took its work over. */
export function lostClaim(): Claim {
  return new Claim(() => Promise.resolve(false), LEASE_MS, -Infinity);
}
