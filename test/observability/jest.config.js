import base from '../../jest.config.js';

/**
 * What an operator sees of the service: metrics, alerts, dashboards, logs, traces, error reports. A command of its own,
 * because it needs tools that the other tests don't (rabbitmq-server, nginx, prometheus, prometheus-alertmanager).
 * @type {import('jest').Config}
 */
export default {
  ...base,
  rootDir: '../..',
  testMatch: ['<rootDir>/test/observability/**/*.observability-spec.ts'],
  testTimeout: 120_000,
};
