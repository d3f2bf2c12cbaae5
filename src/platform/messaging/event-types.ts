import * as auth from '../../contracts/auth.events.js';
import * as tasks from '../../contracts/tasks.events.js';
import * as users from '../../contracts/users.events.js';

/** The types of all events that this release publishes. */
export const EVENT_TYPES: ReadonlySet<string> = new Set(
  [auth, tasks, users]
    .flatMap((contract) => Object.values<unknown>(contract))
    .flatMap((exported) => (typeof exported === 'function' && 'type' in exported ? [String(exported.type)] : [])),
);
