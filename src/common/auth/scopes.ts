import { applyDecorators } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiExtension } from '@nestjs/swagger';
import type { ApiKeyScope } from '../../contracts/api-key-scope.js';

type ResourceOf<S> = S extends `${infer Resource}:read` ? Resource : never;
/** What the scopes of API keys are about, e.g. `tasks`. */
export type ScopedResource = ResourceOf<ApiKeyScope>;

/** Metadata of a controller or handler: the resource whose scopes allow it; null where API keys are refused. */
export const ApiKeyResource = Reflector.createDecorator<ScopedResource | null>();
/** Marks of operations in the OpenAPI document, which its completion turns into security requirements. */
export const API_KEY_RESOURCE_EXTENSION = 'x-api-key-resource';
export const API_KEY_SCOPE_EXTENSION = 'x-api-key-scope';

const setResource = (resource: ScopedResource | null) =>
  applyDecorators(ApiKeyResource(resource), ApiExtension(API_KEY_RESOURCE_EXTENSION, resource));

/**
 * API keys with a scope of this resource may use the controller (or handler): `read` for GET, `write`, which includes
 * read, for all. What isn't marked is closed to API keys.
 */
export const AllowApiKeys = (resource: ScopedResource) => setResource(resource);

/** Metadata of a route that needs a further scope. */
export const AdditionalScope = Reflector.createDecorator<ApiKeyScope>();

/** API keys need this scope beside the one of the controller's resource. */
export const RequireScope = (scope: ApiKeyScope) =>
  applyDecorators(AdditionalScope(scope), ApiExtension(API_KEY_SCOPE_EXTENSION, scope));

/** Closed to API keys, although its controller is open: what it answers goes beyond any one scope. */
export const RefuseApiKeys = () => setResource(null);

/** The least scope that allows a request with this method on the resource. */
export function scopeFor(resource: ScopedResource, method: string): ApiKeyScope {
  return method === 'GET' || method === 'HEAD' ? `${resource}:read` : `${resource}:write`;
}

/** Whether these scopes allow a request with this method on the resource. */
export function scopesAllow(scopes: readonly ApiKeyScope[], resource: ScopedResource, method: string): boolean {
  return scopes.includes(`${resource}:write`) || scopes.includes(scopeFor(resource, method));
}
