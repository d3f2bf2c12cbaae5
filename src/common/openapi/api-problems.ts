import { applyDecorators } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import type { ProblemCode } from '../errors/problem.js';

/** Begins an extension for each problem, so that several decorators of an operation add up. */
export const PROBLEM_EXTENSION = 'x-problem-';
/** Begins an extension for each response header. */
export const HEADER_EXTENSION = 'x-response-header-';
export const IDEMPOTENT_EXTENSION = 'x-idempotent';

/**
 * Documents the problems that are this operation's own. Those that follow from its shape (validation, authentication,
 * an unknown id, the limits, our own failures) are added to every operation by `completeDocument`.
 */
export const ApiProblems = (...codes: ProblemCode[]) =>
  applyDecorators(...codes.map((code) => ApiExtension(`${PROBLEM_EXTENSION}${code}`, true)));
