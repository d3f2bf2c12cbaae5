/**
 * The one test command: unit (`*.spec.ts`), integration (`*.int-spec.ts`) and HTTP (`*.e2e-spec.ts`) tests.
 * The global set-up starts a MongoDB and a Redis of this run's own; suites that need more than that
 * (`test:gateway`, `test:deploy`, …) are commands of their own.
 * @type {import('jest').Config}
 */
export default {
  testEnvironment: 'node',
  testMatch: ['**/*.(spec|int-spec|e2e-spec).ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '<rootDir>/local/gateway/', '<rootDir>/test/deploy/'],
  modulePathIgnorePatterns: ['/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '@swc/jest' },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  setupFiles: ['<rootDir>/test/support/esm-nest.ts'],
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  testTimeout: 60_000,
  maxWorkers: 2,
};
