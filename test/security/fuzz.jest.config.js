import { randomInt } from 'node:crypto';
import base from '../../jest.config.js';

process.env.FUZZ_REQUESTS ??= '100000';
process.env.FUZZ_SEED ??= String(randomInt(2 ** 31));

/**
 * The long run of the test that draws requests from the OpenAPI document.
 * @type {import('jest').Config}
 */
export default { ...base, rootDir: '../..', testMatch: ['<rootDir>/test/security/fuzz.e2e-spec.ts'] };
