import { findNginx } from './nginx.js';
import { findRabbitMq } from './rabbitmq.js';

type Package = 'nginx' | 'rabbitmq-server';

/** What one process of a shape serves; `modules` as in `MODULES`, all where it is undefined. */
export interface ShapeProcess {
  name: string;
  modules?: string;
}

/** A way of spreading the service over processes. */
export interface ShapePlan {
  /** In the order in which the gateway's upstreams name them. */
  processes: ShapeProcess[];
  /** The gateway in front of them: the files of docker/nginx/upstreams/ and routes/, without the suffix. */
  gateway?: { upstreams: string; routes: string };
  /** Debian's packages that it takes and that aren't fetched like the rest. */
  packages: Package[];
}

/** From the manifests, by `npm run generate`. */
const MODULES = ['auth', 'users', 'tasks', 'notifications'];

/** The shapes that the service can be run in here. */
export const SHAPES = {
  single: { processes: [{ name: 'service' }], packages: [] },
  replicas: {
    processes: [1, 2, 3].map((number) => ({ name: `service-${number}` })),
    gateway: { upstreams: 'least-conn', routes: 'one-service' },
    packages: ['nginx'],
  },
  split: {
    processes: MODULES.map((name) => ({ name, modules: name })),
    gateway: { upstreams: 'split', routes: 'split' },
    packages: ['nginx', 'rabbitmq-server'],
  },
} satisfies Record<string, ShapePlan>;

export type Shape = keyof typeof SHAPES;

function findProgram(name: Package): string | undefined {
  return name === 'nginx' ? findNginx() : findRabbitMq();
}

/**
 * @param env may name a server that is there already
 * @throws Error that says what to install for it
 */
export function assertInstalled(
  shape: Shape,
  env: NodeJS.ProcessEnv,
  find: (name: Package) => string | undefined = findProgram,
): void {
  const { packages }: ShapePlan = SHAPES[shape];
  const given = (name: Package) => name === 'rabbitmq-server' && env['RABBITMQ_URL'];
  const missing = packages.filter((name) => !given(name) && !find(name));
  if (missing.length === 0) return;
  throw new Error(
    `This needs ${missing.join(' and ')}, and this machine hasn't got it: apt install ${missing.join(' ')} first, ` +
      'or start the service as one process with npm start.',
  );
}
