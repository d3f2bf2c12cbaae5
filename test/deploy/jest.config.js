/**
 * What the service is shipped in: the image's recipe, the compose file, NGINX, the Kubernetes manifests. A command of
 * its own, because it needs tools that the other tests don't (nginx, docker compose, kubectl).
 * @type {import('jest').Config}
 */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '@swc/jest' },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  testTimeout: 60_000,
};
