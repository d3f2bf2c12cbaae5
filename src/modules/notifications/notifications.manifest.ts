import type { ModuleManifest } from '../../contracts/module-manifest.js';

export const notifications: ModuleManifest = {
  name: 'notifications',
  nestModule: async () => (await import('./notifications.module.js')).NotificationsModule,
  tag: { name: 'Notifications', description: 'The inbox' },
  events: {},
  apiPaths: ['notifications'],
  publicPaths: [{ path: 'ws', isWebSocket: true }],
  apiKeyScopes: ['notifications:read', 'notifications:write'],
  cacheScopes: ['notifications'],
  keyPurposes: ['one-time-token', 'email-unsubscribe', 'cursor'],
  collections: {
    notifications: { user: 'hashed' },
    contacts: { _id: 'hashed' },
    pushsubscriptions: null,
    deliveries: null,
  },
  hotQueries: [
    { what: 'notifications, and how many are unread', collection: 'notifications', fields: ['user'] },
    { what: 'whom to notify', collection: 'contacts', fields: ['_id'] },
  ],
  personalData: {
    exports: ['contact', 'notifications', 'deliveries', 'pushSubscriptions'],
    erases: ['notifications', 'deliveries', 'pushsubscriptions', 'contacts'],
  },
  queues: ['email', 'push', 'sms'],
};
