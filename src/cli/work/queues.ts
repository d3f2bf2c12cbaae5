import type { ModuleName } from '../../contracts/modules.js';
import { MANIFESTS } from '../../modules.js';

/** Where the items of a queue of durable work are. */
export interface QueueLocation {
  collection: string;
  /** Which of the collection's items are this queue's. */
  scope?: Record<string, unknown>;
  /** Fields that say what an item is about; none of them is a secret, an address or a text of a user's. */
  about: readonly string[];
  /** Whether a finished item stays, as the record of what was sent. */
  isRecord?: true;
}

const deliveries = (channel: string): QueueLocation => ({
  collection: 'deliveries',
  scope: { channel },
  about: ['event', 'user', 'notification'],
  isRecord: true,
});

const OF_PLATFORM: Record<string, QueueLocation> = {
  outbox: { collection: 'outbox', about: ['event.type', 'event.id', 'consumers'] },
  'object-removals': { collection: 'objectremovals', about: ['owner'] },
};
const OF_MODULES: Record<string, QueueLocation> = {
  'password-reset': { collection: 'passwordresetrequests', about: [] },
  'task-alarms': { collection: 'taskalarms', about: ['task', 'kind'] },
  email: deliveries('email'),
  push: deliveries('push'),
  sms: deliveries('sms'),
};

/** The queues of a process that serves these modules, by name. */
export function queuesOf(modules: readonly ModuleName[]): Map<string, QueueLocation> {
  const names = MANIFESTS.filter(({ name }) => modules.includes(name)).flatMap(({ queues }) => queues);
  const own = names.flatMap((name) => (OF_MODULES[name] ? [[name, OF_MODULES[name]] as const] : []));
  return new Map([...Object.entries(OF_PLATFORM), ...own]);
}
