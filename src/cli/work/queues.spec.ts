import { MODULES } from '../../contracts/modules.js';
import { MANIFESTS } from '../../modules.js';
import { queuesOf } from './queues.js';

it('every queue of a module can be looked into', () => {
  const known = [...queuesOf(MODULES).keys()];
  expect(known).toEqual(expect.arrayContaining(MANIFESTS.flatMap(({ queues }) => [...queues])));
});

it('a process of a split service has its own queues and those of every process', () => {
  const [{ name, queues }] = MANIFESTS.filter((manifest) => manifest.queues.length > 0) as [(typeof MANIFESTS)[number]];
  expect([...queuesOf([name]).keys()]).toEqual(['outbox', 'object-removals', ...queues]);
});
