import { RequestMethod, type Type, VERSION_NEUTRAL } from '@nestjs/common';
import { METHOD_METADATA, MODULE_METADATA, PATH_METADATA, VERSION_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner } from '@nestjs/core';
import { eventsOf, type ModuleManifest } from './contracts/module-manifest.js';
import { MODULES } from './contracts/modules.js';

interface Route {
  controller: string;
  method: string;
  /** Without the prefix, and without a slash at the beginning. */
  path: string;
  /** Whether it is served without the prefix `/api/v1`. */
  isPublic: boolean;
}

/**
 * Two modules can't own the same name, and the names that are types must be those of the manifests.
 *
 * @throws Error that names the module and what to do
 */
export function assertUnique(manifests: readonly ModuleManifest[]): void {
  const names = manifests.map(({ name }) => name);
  if (String(names) !== String(MODULES)) {
    throw new Error(
      `src/modules.ts lists ${String(names)}, src/contracts/modules.ts ${String(MODULES)}: run npm run generate.`,
    );
  }
  const owners = new Map<string, string>();
  for (const manifest of manifests) {
    for (const owned of namesOwnedBy(manifest)) {
      const owner = owners.get(owned);
      if (owner) throw new Error(`The manifests of ${owner} and ${manifest.name} both have the ${owned}.`);
      owners.set(owned, manifest.name);
    }
  }
}

function namesOwnedBy({ apiPaths, publicPaths, cacheScopes, collections, queues, tag }: ModuleManifest): string[] {
  return [
    `tag ${tag.name}`,
    ...apiPaths.map((path) => `path /api/v1/${path}`),
    ...publicPaths.map(({ path }) => `path /${path}`),
    ...cacheScopes.map((scope) => `cache scope ${scope}`),
    ...Object.keys(collections).map((name) => `collection ${name}`),
    ...queues.map((name) => `queue ${name}`),
  ];
}

/**
 * A path that the manifest leaves out would be led to no process of a split service; one with the wrong prefix would be served
 * where nobody expects it.
 *
 * @throws Error that names the class and what its manifest lacks, or has too much
 */
export function assertMatchesManifest(manifest: ModuleManifest, nestModule: Type): void {
  const controllers = (Reflect.getMetadata(MODULE_METADATA.CONTROLLERS, nestModule) ?? []) as Type[];
  const problem = problemOfRoutes(manifest, controllers.flatMap(routesOf)) ?? problemOfEvents(manifest);
  if (problem) throw new Error(`The manifest of the module ${manifest.name} is wrong: ${problem}.`);
}

function problemOfRoutes(manifest: ModuleManifest, routes: Route[]): string | undefined {
  const stated = {
    apiPaths: manifest.apiPaths,
    publicPaths: manifest.publicPaths.map(({ path }) => path),
    foreignOperations: (manifest.foreignOperations ?? []).map(({ method, path }) => `${method} ${path}`),
  };
  const placeOf = ({ method, path, isPublic }: Route): [keyof typeof stated, string] => {
    if (isPublic) return ['publicPaths', path];
    const operation = `${method} ${path}`;
    return stated.foreignOperations.includes(operation)
      ? ['foreignOperations', operation]
      : ['apiPaths', path.split('/')[0] ?? ''];
  };
  const served = new Set<string>();
  for (const route of routes) {
    const [list, entry] = placeOf(route);
    if (!stated[list].includes(entry)) return `${list} lacks ${entry}, which ${route.controller} serves`;
    served.add(`${list} ${entry}`);
  }
  for (const [list, entries] of Object.entries(stated)) {
    const unserved = entries.find((entry) => !served.has(`${list} ${entry}`));
    if (unserved !== undefined) return `no controller of its Nest module serves ${unserved}, which ${list} lists`;
  }
  return undefined;
}

function problemOfEvents(manifest: ModuleManifest): string | undefined {
  const other = eventsOf(manifest).find(({ type }) => !type.startsWith(`${manifest.name}.`));
  return other && `it publishes ${other.type}, which begins with another name`;
}

function routesOf(controller: Type): Route[] {
  const prototype = controller.prototype as Record<string, object>;
  const isPublic = Reflect.getMetadata(VERSION_METADATA, controller) === VERSION_NEUTRAL;
  return new MetadataScanner().getAllMethodNames(prototype).flatMap((name) => {
    const handler = prototype[name] as object;
    const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
    if (method === undefined) return [];
    const parts = [controller, handler].flatMap((target) => Reflect.getMetadata(PATH_METADATA, target) as string);
    const path = parts
      .flatMap((part) => part.split('/'))
      .filter((part) => part !== '')
      .join('/');
    return [{ controller: controller.name, method: RequestMethod[method], path, isPublic }];
  });
}
