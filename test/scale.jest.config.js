import base from '../jest.config.js';

// Read by the spec in Jest's workers, which inherit it.
process.env.TEST_SCALE = 'full';

/**
 * `npm run test:scale`: lists and statistics over a million tasks. Takes some minutes, and 2 GB of disk.
 * @type {import('jest').Config}
 */
export default {
  ...base,
  rootDir: '..',
  testMatch: ['<rootDir>/test/integration/task-scale.int-spec.ts'],
  testTimeout: 300_000,
  maxWorkers: 1,
};
