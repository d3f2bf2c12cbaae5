import type { OpenAPIObject } from '@nestjs/swagger';

export type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
export type Response = Exclude<Operation['responses'][string], undefined | { $ref: string }>;
export type Headers = NonNullable<Response['headers']>;
export type Parameter = NonNullable<Operation['parameters']>[number];
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What the OpenAPI document says of the service as a whole. */
export interface ServiceDescription {
  /** The release. */
  version: string;
  /** The service's address, without a slash at the end. */
  publicUrl: string;
  /** The groups of the modules' operations, in the order of the document. */
  tags: { name: string; description: string }[];
}

export const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** @returns every operation of the document, by path and method, in the document's order */
export function operationsOf({ paths }: OpenAPIObject): { path: string; method: string; operation: Operation }[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation ? [{ path, method, operation }] : [];
    }),
  );
}
