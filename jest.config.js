/**
 * All tests: a project for each kind of file. `scripts/test.mjs` names the projects of each `npm run test:*` command.
 * Jest runs the global set-up of a project only when it has files to run, so unit tests start no servers.
 */
const common = {
  testEnvironment: 'node',
  modulePathIgnorePatterns: ['/dist/', '<rootDir>/build/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '@swc/jest' },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
};

/** For tests that build parts of the service in Jest; it loads all of Nest, for each file. */
const withNest = { setupFiles: ['<rootDir>/test/support/esm-nest.ts'] };

/** Starts MongoDB, Redis and a mail catcher, once for all projects of a run. */
const withStack = {
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
};

/** Starts the database engine behind the gateway. */
const withEngine = {
  globalSetup: '<rootDir>/local/gateway/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/local/gateway/test/support/global-teardown.ts',
};

const project = (displayName, testMatch, options) => ({ displayName, testMatch: [testMatch], ...common, ...options });

/** @type {import('jest').Config} */
export default {
  projects: [
    project('unit', '**/*.spec.ts'),
    {
      ...project('integration', '**/*.int-spec.ts', { ...withStack, ...withNest }),
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/local/gateway/'],
    },
    project('e2e', '**/*.e2e-spec.ts', withStack),
    project('gateway', '<rootDir>/local/gateway/**/*.int-spec.ts', withEngine),
    // Runs for minutes to hours, so it is a command of its own.
    project('backlog', '**/*.backlog-spec.ts', withStack),
    project('browser', '**/*.browser-spec.ts', withStack),
    project('chaos', '**/*.chaos-spec.ts', withStack),
    project('clients', '**/*.clients-spec.ts', withStack),
    project('cluster', '**/*.cluster-spec.ts'),
    project('deploy', '**/*.deploy-spec.ts'),
    project('generator', '**/*.generator-spec.ts'),
    project('observability', '**/*.observability-spec.ts', withStack),
    project('shapes', '**/*.shape-spec.ts', { ...withStack, ...withNest }),
    project('versions', '**/*.versions-spec.ts', withStack),
  ],
  testTimeout: 60_000,
  maxWorkers: 2,
};
