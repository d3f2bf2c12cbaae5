import base from '../../jest.config.js';

/**
 * The service spread over processes: the RabbitMQ bus, and one suite of behaviour in all shapes that the service can be
 * run in. A command of its own, because it needs tools that the other tests don't (rabbitmq-server, nginx).
 * @type {import('jest').Config}
 */
export default {
  ...base,
  rootDir: '../..',
  testMatch: ['<rootDir>/test/shapes/**/*.shape-spec.ts'],
  testTimeout: 120_000,
};
