/**
 * What a user does in a browser: Swagger UI in Debian's Chromium, against the built service. A command of its own
 * (`npm run test:browser`), because it needs a browser.
 * @type {import('jest').Config}
 */
export default {
  rootDir: '../..',
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/browser/**/*.browser-spec.ts'],
  modulePathIgnorePatterns: ['/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '@swc/jest' },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  // A page of this size takes a second to draw; on a busy machine, several.
  testTimeout: 300_000,
  maxWorkers: 1,
};
