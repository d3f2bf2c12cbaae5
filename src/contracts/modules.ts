/**
 * The modules, by the names that `MODULES`, queues and event types know them by. From the manifests, by
 * `npm run generate`.
 */
export const MODULES = ['auth', 'users', 'tasks', 'notifications'] as const;
export type ModuleName = (typeof MODULES)[number];
