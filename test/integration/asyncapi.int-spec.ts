import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import * as auth from '../../src/contracts/auth.events.js';
import { DomainEvent, type EventClass } from '../../src/contracts/event.js';
import * as tasks from '../../src/contracts/tasks.events.js';
import * as users from '../../src/contracts/users.events.js';
import { ASYNCAPI_FILE, EventContracts } from '../support/asyncapi.js';

const contracts = new EventContracts();
const exported: unknown[] = Object.values({ ...auth, ...tasks, ...users });
const classes = exported.filter(
  (value): value is EventClass => typeof value === 'function' && value.prototype instanceof DomainEvent,
);

it('keeps all recommended rules', () => {
  const cli = createRequire(import.meta.url).resolve('@stoplight/spectral-cli/dist/index.js');
  const rules = ['--ruleset', 'test/support/spectral-asyncapi.yaml', '--fail-severity', 'hint', '--quiet'];
  const { stdout, stderr } = spawnSync(process.execPath, [cli, 'lint', ASYNCAPI_FILE, ...rules], { encoding: 'utf8' });
  expect((stdout + stderr).trim()).toMatch(/^(No results .*)?$/);
});

it('describes every event that a module publishes, and no other', () => {
  expect(classes.length).toBeGreaterThan(20);
  expect([...contracts.types].sort()).toEqual(classes.map(({ type }) => type).sort());
  const { Live, ...channels } = contracts.document.channels;
  expect(Object.values(channels).map(({ address }) => address)).toEqual(contracts.types);
  expect(Live?.address).toBe('/ws');
});

it.each(Object.values(contracts.document.components.messages))('has an example of $name that is one', (message) => {
  const [example] = message.examples;
  const event = example?.payload as { type: string; data: object };
  expect(event.type).toBe(message.name);
  expect(message.payload.allOf[1].properties.type.const).toBe(message.name);
  expect(contracts.problemsOf(event)).toEqual([]);
  // Held against the envelope and the data alike.
  expect(contracts.problemsOf({ ...event, time: 'yesterday' } as typeof event)).not.toEqual([]);
  expect(contracts.problemsOf({ ...event, data: { ...event.data, undocumented: 1 } } as typeof event)).not.toEqual([]);
});
