import { type FieldError, ValidationFailedError } from '../errors/problem.js';

const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Checks what must be true of any body or query before classes are made of it: an object, of
 * text that can be stored as it is (RFC 7493, 2.1), without names that every object or class has, which
 * class-transformer and class-validator take for known ones and drop in silence.
 *
 * @param kind what the input is called where it is wrong as a whole
 * @throws ValidationFailedError naming the fields
 */
export function assertPlainInput(input: unknown, kind: string): void {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new ValidationFailedError([{ field: kind, message: 'must be a JSON object' }]);
  }
  const errors = Object.entries(input).flatMap(([name, value]) => faultsOf(name, value));
  if (errors.length > 0) throw new ValidationFailedError(errors);
}

function faultsOf(field: string, value: unknown): FieldError[] {
  const name = field.slice(field.lastIndexOf('.') + 1);
  if (name in Object.prototype || name === 'prototype') return [{ field, message: 'is not known' }];
  if (typeof value === 'string' && LONE_SURROGATE.test(value)) return [{ field, message: 'must be well-formed text' }];
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item) => faultsOf(field, item)).slice(0, 1);
  return Object.entries(value).flatMap(([key, inner]) => faultsOf(`${field}.${key}`, inner));
}
