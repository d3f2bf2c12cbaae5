import base from '../../jest.config.js';

process.env.CACHE_OPERATIONS ??= '50000';

/**
 * The long run of the test that lets Redis and instances fail under the response cache.
 * @type {import('jest').Config}
 */
export default { ...base, rootDir: '../..', testMatch: ['<rootDir>/test/cache/model.e2e-spec.ts'] };
