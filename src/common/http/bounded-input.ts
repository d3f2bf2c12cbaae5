import { ValidationFailedError } from '../errors/problem.js';

/** A bulk of a hundred full tasks has some 3,500. */
const MAX_MEMBERS = 5000;
const MAX_DEPTH = 20;

/**
 * Refuses input that is cheap to send and expensive to check: the time that validation takes grows with the square of an
 * object's unknown fields (20 s for the 90,000 that fit into 1 MiB), and it calls itself for each level.
 *
 * @throws ValidationFailedError for more members and items altogether, or more levels, than any proper request has
 */
export function assertBounded(input: unknown): void {
  let members = 0;
  let level = [input];
  for (let depth = 0; level.length > 0; depth += 1) {
    level = level.flatMap(membersOf);
    members += level.length;
    if (members > MAX_MEMBERS) refuse(`has more than ${MAX_MEMBERS} members`);
    if (depth === MAX_DEPTH) refuse(`has more than ${MAX_DEPTH} levels`);
  }
}

function membersOf(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value) : [];
}

function refuse(message: string): never {
  throw new ValidationFailedError([{ field: 'body', message }]);
}
