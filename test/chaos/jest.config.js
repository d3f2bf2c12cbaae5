import base from '../../jest.config.js';

/**
 * Task changes while processes, RabbitMQ, Redis and the databases are killed again and again. A command of its own: it needs
 * rabbitmq-server and nginx, and minutes.
 * @type {import('jest').Config}
 */
export default {
  ...base,
  rootDir: '../..',
  testMatch: ['<rootDir>/test/chaos/**/*.chaos-spec.ts'],
  testTimeout: 7_200_000,
};
