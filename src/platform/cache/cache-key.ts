import { createHash } from 'node:crypto';
import type { CacheScope } from '../../contracts/cache-scope.js';

/** What an answer depends on. */
export interface Question {
  userId: string;
  scope: CacheScope;
  /** The normalised route, parameters and query. */
  request: string;
}

/** The key of a user's answers of a scope; the epoch holds those of other databases and of former servers apart. */
export function keyOf(epoch: string, target: string): string {
  return `response:${epoch}:${target}`;
}

/** Whose answers of which scope. */
export function targetOf({ userId, scope }: Pick<Question, 'userId' | 'scope'>): string {
  return `${userId}:${scope}`;
}

export function fieldOf({ request }: Question): string {
  return createHash('sha256').update(request).digest('base64url');
}
