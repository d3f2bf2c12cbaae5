import { ApiExtension } from '@nestjs/swagger';
import type { ProblemCode } from '../errors/problem.js';

export const PROBLEMS_EXTENSION = 'x-problems';
export const HEADERS_EXTENSION = 'x-response-headers';
export const IDEMPOTENT_EXTENSION = 'x-idempotent';

/**
 * Documents the problems that are this operation's own. Those that follow from its shape (validation, authentication,
 * an unknown id, the limits, our own failures) are added to every operation by `completeDocument`.
 */
export const ApiProblems = (...codes: ProblemCode[]) => ApiExtension(PROBLEMS_EXTENSION, codes);
