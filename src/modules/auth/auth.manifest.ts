import * as events from '../../contracts/auth.events.js';
import type { ModuleManifest } from '../../contracts/module-manifest.js';

export const auth: ModuleManifest = {
  name: 'auth',
  nestModule: async () => (await import('./auth.module.js')).AuthModule,
  tag: { name: 'Auth', description: 'Accounts, log-in, sessions, and what guards them' },
  events,
  apiPaths: ['auth'],
  // The deletion of an account takes a proof that this module checks.
  foreignOperations: [{ method: 'DELETE', path: 'users/me' }],
  publicPaths: [{ path: '.well-known/jwks.json' }, { path: 'verify-email' }, { path: 'reset-password' }],
  answersTokens: true,
  apiKeyScopes: [],
  cacheScopes: [],
  keyPurposes: [
    'refresh-token',
    'mfa-secret',
    'device-token',
    'step-up-question',
    'step-up-answer',
    'one-time-token',
    'cursor',
  ],
  collections: {
    emails: { _id: 1 },
    accounts: { _id: 'hashed' },
    sessions: { _id: 'hashed' },
    onetimetokens: { _id: 'hashed' },
    attemptcounters: { _id: 'hashed' },
    auditentries: null,
    passwordresetrequests: null,
  },
  hotQueries: [
    { what: 'whose address it is', collection: 'emails', fields: ['_id'] },
    { what: 'an account', collection: 'accounts', fields: ['_id'] },
    { what: 'failed log-ins', collection: 'attemptcounters', fields: ['_id'] },
    { what: 'the session of a refresh token', collection: 'sessions', fields: ['_id'] },
    { what: "a user's sessions", collection: 'sessions', fields: ['user'] },
    { what: 'a token of a mail', collection: 'onetimetokens', fields: ['_id'] },
  ],
  personalData: {
    exports: ['account', 'sessions', 'apiKeys', 'audit'],
    erases: ['accounts', 'emails', 'sessions', 'onetimetokens', 'auditentries'],
  },
  queues: ['password-reset'],
};
