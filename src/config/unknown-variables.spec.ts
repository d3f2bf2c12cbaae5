import { ENVIRONMENT_NAMES } from './environment.js';
import { nearestVariable, unknownVariables } from './unknown-variables.js';

const found = (...names: string[]) => unknownVariables(Object.fromEntries(names.map((name) => [name, 'x'])));

it('are those with a prefix of ours that nothing reads', () => {
  const names = ['THROTTLE_GENERAL_LIMITS', 'MONGODB_URL', 'REDIS_URI', 'QUOTA_SMS'];
  expect(found('PATH', 'HOME', ...names, 'AWS_PROFILE', 'NODE_OPTIONS', 'OTEL_BSP_SCHEDULE_DELAY')).toEqual(names);
});

it('are none of those that the service reads, from the environment or from a file', () => {
  expect(found(...ENVIRONMENT_NAMES, 'MONGODB_URI_FILE', 'JWT_PRIVATE_KEYS_FILE')).toEqual([]);
});

it('are none of those that Kubernetes sets for a service beside it', () => {
  const names = ['REDIS_SERVICE_HOST', 'REDIS_SERVICE_PORT_CLIENT', 'RABBITMQ_PORT', 'MONGODB_PORT_27017_TCP_ADDR'];
  expect(found(...names)).toEqual([]);
});

it.each([
  ['REDIS_URI', 'REDIS_URL'],
  ['THROTTLE_GENERAL_LIMITS', 'THROTTLE_GENERAL_LIMIT'],
  ['MONGODB_URL', 'MONGODB_URI'],
  ['REDIS_X', undefined],
])('%s is most like %s', (name, known) => {
  expect(nearestVariable(name)).toBe(known);
});
