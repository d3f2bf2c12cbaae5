import type { ModuleManifest } from '../../contracts/module-manifest.js';
import * as events from '../../contracts/users.events.js';

export const users: ModuleManifest = {
  name: 'users',
  nestModule: async () => (await import('./users.module.js')).UsersModule,
  tag: { name: 'Users', description: 'Profiles, roles and preferences' },
  events,
  apiPaths: ['users'],
  publicPaths: [{ path: 'unsubscribe', takesForms: true }],
  apiKeyScopes: ['users:read', 'users:write', 'users:admin'],
  cacheScopes: [],
  keyPurposes: [
    'step-up-question',
    'step-up-answer',
    'one-time-token',
    'phone-code',
    'email-unsubscribe',
    'files.url',
    'cursor',
  ],
  collections: {
    users: { _id: 'hashed' },
    phonecodes: null,
  },
  hotQueries: [
    { what: 'a profile', collection: 'users', fields: ['_id'] },
    { what: "the managers' list of users", collection: 'users', fields: [] },
  ],
  personalData: { exports: ['profile', 'phoneVerified', 'preferences'], erases: ['users', 'phonecodes'] },
  queues: [],
};
