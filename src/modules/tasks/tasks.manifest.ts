import type { ModuleManifest } from '../../contracts/module-manifest.js';
import * as events from '../../contracts/tasks.events.js';

export const tasks: ModuleManifest = {
  name: 'tasks',
  nestModule: async () => (await import('./tasks.module.js')).TasksModule,
  tag: { name: 'Tasks', description: 'Tasks and their statistics' },
  events,
  apiPaths: ['tasks'],
  publicPaths: [],
  apiKeyScopes: ['tasks:read', 'tasks:write'],
  cacheScopes: ['tasks'],
  keyPurposes: ['files.url', 'cursor'],
  collections: {
    tasks: { user: 'hashed' },
    deletedtasks: { user: 'hashed' },
    taskchanges: { user: 'hashed' },
    taskowners: { _id: 'hashed' },
    taskalarms: null,
  },
  hotQueries: [
    { what: 'a list of tasks, and statistics', collection: 'tasks', fields: ['user'] },
    { what: 'a task', collection: 'tasks', fields: ['_id', 'user'] },
    { what: 'a deleted task', collection: 'deletedtasks', fields: ['_id', 'user'] },
    { what: "a task's history", collection: 'taskchanges', fields: ['user', 'task'] },
  ],
  personalData: {
    exports: ['timezone', 'tasks', 'deletedTasks', 'history'],
    erases: ['tasks', 'deletedtasks', 'taskchanges', 'taskowners', 'taskalarms'],
  },
  queues: ['task-alarms'],
};
