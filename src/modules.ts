import type { ModuleManifest } from './contracts/module-manifest.js';
import { auth } from './modules/auth/auth.manifest.js';
import { notifications } from './modules/notifications/notifications.manifest.js';
import { tasks } from './modules/tasks/tasks.manifest.js';
import { users } from './modules/users/users.manifest.js';

/** The feature modules. Their order is that of the OpenAPI document and of `MODULES`; a new one goes to the end. */
export const MANIFESTS: readonly ModuleManifest[] = [auth, users, tasks, notifications];
