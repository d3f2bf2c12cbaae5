import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { eventsOf } from '../../src/contracts/module-manifest.js';
import { MANIFESTS } from '../../src/modules.js';
import { ASYNCAPI_FILE, EventContracts } from '../support/asyncapi.js';

const contracts = new EventContracts();
const published = MANIFESTS.flatMap(eventsOf).map(({ type }) => type);

it('keeps all recommended rules', () => {
  const cli = createRequire(import.meta.url).resolve('@stoplight/spectral-cli/dist/index.js');
  const rules = ['--ruleset', 'test/support/spectral-asyncapi.yaml', '--fail-severity', 'hint', '--quiet'];
  const { stdout, stderr } = spawnSync(process.execPath, [cli, 'lint', ASYNCAPI_FILE, ...rules], { encoding: 'utf8' });
  expect((stdout + stderr).trim()).toMatch(/^(No results .*)?$/);
});

it('describes every event that a module publishes, and no other', () => {
  expect(published.length).toBeGreaterThan(20);
  const lacking = published.filter((type) => !contracts.types.includes(type));
  expect(lacking.map((type) => `${ASYNCAPI_FILE} doesn't describe ${type}`)).toEqual([]);
  expect([...contracts.types].sort()).toEqual([...published].sort());
  expect(contracts.document.info.tags.map(({ name }) => name).sort()).toEqual(MANIFESTS.map(({ name }) => name).sort());
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
