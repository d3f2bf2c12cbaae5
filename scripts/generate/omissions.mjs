import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';

const COMPOSE = 'docker/compose.yaml';
const SPLIT = 'k8s/overlays/split';
const RULES = 'observability/prometheus/rules.yaml';

const folders = (path) =>
  readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

/** @returns a sentence for each thing that names modules, is written by hand, and doesn't fit the manifests */
export function findOmissions(manifests, platformQueues) {
  const names = manifests.map(({ name }) => name);
  return [
    ...unlistedModules(names),
    ...unpublishedContracts(manifests),
    ...missingServices(names),
    ...strayOverlays(names),
    ...unknownQueues(manifests, platformQueues),
  ];
}

function unlistedModules(names) {
  return folders('src/modules')
    .filter((name) => !names.includes(name))
    .map((name) => {
      const file = `src/modules/${name}/${name}.manifest.ts`;
      return existsSync(file)
        ? `src/modules.ts doesn't list ${file}.`
        : `The module ${name} has no manifest: write ${file}.`;
    });
}

/** Of a file that no manifest has as its `events`, nothing would be counted or known to the relay. */
function unpublishedContracts(manifests) {
  const publishers = manifests.filter(({ events }) => Object.keys(events).length > 0).map(({ name }) => name);
  return readdirSync('src/contracts')
    .flatMap((file) => /^(.*)\.events\.ts$/.exec(file)?.[1] ?? [])
    .filter((name) => !publishers.includes(name))
    .map((name) => `src/contracts/${name}.events.ts is not the \`events\` of src/modules/${name}/${name}.manifest.ts.`);
}

function missingServices(names) {
  const { services } = parse(readFileSync(COMPOSE, 'utf8'), { merge: true });
  return names.flatMap((name) => [
    ...[name, `${name}-indexes`]
      .filter((service) => services[service]?.environment?.MODULES !== name)
      .map((service) => `${COMPOSE} has no service ${service} with MODULES: ${name}.`),
    ...(name in services['nginx-split'].depends_on ? [] : [`${COMPOSE}: nginx-split doesn't depend on ${name}.`]),
  ]);
}

function strayOverlays(names) {
  return folders(SPLIT)
    .filter((name) => name !== 'module' && !names.includes(name))
    .map((name) => `${SPLIT}/${name} is of no module of src/modules.ts: remove it.`);
}

/** An alert on a queue that has another name by now would never fire. */
function unknownQueues(manifests, platformQueues) {
  const queues = [...platformQueues, ...manifests.flatMap((manifest) => manifest.queues)];
  const named = [...readFileSync(RULES, 'utf8').matchAll(/queue[!=]~?"([^"]*)"/g)].flatMap(([, text]) =>
    text.split('|'),
  );
  return [...new Set(named)]
    .filter((name) => !queues.includes(name))
    .map((name) => `${RULES} names the queue ${name}, which no manifest lists.`);
}
