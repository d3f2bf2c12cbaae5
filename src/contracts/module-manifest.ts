import type { Type } from '@nestjs/common';
import type { KeyPurpose } from '../config/key-purposes.js';
import type { ApiKeyScope } from './api-key-scope.js';
import type { CacheScope } from './cache-scope.js';
import type { EventClass } from './event.js';
import type { ModuleName } from './modules.js';

/** A shard key, by field. */
export type ShardKey = Readonly<Record<string, 1 | 'hashed'>>;

/** A query that runs often, by the fields that its filter names with `=` or `$in`. */
export interface HotQuery {
  what: string;
  collection: string;
  fields: readonly string[];
}

/** A path without the prefix `/api/v1`. */
export interface PublicPath {
  /** Without a slash at the beginning, e.g. `verify-email`. */
  path: string;
  /** Whether browsers and mail programs may post a form to it. */
  takesForms?: true;
  /** Whether it opens a WebSocket. */
  isWebSocket?: true;
}

/** An operation of a module on a path that is otherwise another module's. */
export interface ForeignOperation {
  method: 'DELETE' | 'PATCH' | 'POST' | 'PUT';
  /** Below `/api/v1/`, e.g. `users/me`. */
  path: string;
}

/**
 * All that anything outside a module must know of it, as data. `src/modules.ts` lists the manifests. The service reads
 * them when it starts; `npm run generate` writes what can't read them. Names of modules, scopes and key purposes are
 * types made from the manifests: after adding one, run `npm run generate`, and the compiler knows it.
 */
export interface ModuleManifest {
  /** As in `MODULES`; the module's folder, queues, event types and deployment have this name. */
  name: ModuleName;
  /** Loads the Nest module, apart from this data: commands and the generator need only the data. */
  nestModule: () => Promise<Type>;
  /** The group of its operations in the OpenAPI document. */
  tag: { name: string; description: string };
  /** Its file in `src/contracts/` (`import * as`): it publishes every event class there. `{}` where it publishes none. */
  events: object;
  /** First segments below `/api/v1/` of all paths that are its own. */
  apiPaths: readonly string[];
  /** Operations on paths of other modules. */
  foreignOperations?: readonly ForeignOperation[];
  /** Paths without the prefix `/api/v1`. */
  publicPaths: readonly PublicPath[];
  /** Whether its answers carry tokens: proxies don't compress them then, so that their length tells nothing of them. */
  answersTokens?: true;
  /** What API keys can be allowed to do with it; write includes read. Empty where it is closed to them. */
  apiKeyScopes: readonly ApiKeyScope[];
  /** The groups of its cached answers. A scope belongs to one module. */
  cacheScopes: readonly CacheScope[];
  /** What it needs keys for that are derived from `APP_SECRETS`. A module with lists needs `cursor`. */
  keyPurposes: readonly KeyPurpose[];
  /** Every collection it owns, with its shard key; null where it stays on one shard, as queues and feeds do. */
  collections: Readonly<Record<string, ShardKey | null>>;
  hotQueries: readonly HotQuery[];
  /**
   * The properties of its part of a person's export, and the collections of its own that it erases a person from; null
   * where it holds nothing of a person.
   */
  personalData: { exports: readonly string[]; erases: readonly string[] } | null;
  /** Its queues of durable work, by the names that metrics and alerts know. */
  queues: readonly string[];
}

/** The classes of the events that a module publishes. */
export function eventsOf({ events }: Pick<ModuleManifest, 'events'>): EventClass[] {
  return Object.values(events).filter(
    (exported): exported is EventClass => typeof exported === 'function' && 'type' in exported,
  );
}
