import type { AccessScope } from '../../common/auth/access-scope.js';
import { sha256 } from '../../common/crypto/digest.js';
import type { CacheScope } from '../../contracts/cache-scope.js';

/** What an answer depends on. */
export interface Question {
  owner: AccessScope;
  scope: CacheScope;
  /** The normalised route, parameters and query. */
  request: string;
}

/** The key of an owner's answers of a scope; the epoch holds those of other databases and of former servers apart. */
export function keyOf(epoch: string, target: string): string {
  return `response:${epoch}:${target}`;
}

/** Whose answers of which scope. */
export function targetOf({ owner, scope }: Pick<Question, 'owner' | 'scope'>): string {
  return `${owner.key}:${scope}`;
}

export function fieldOf({ request }: Question): string {
  return sha256(request);
}
