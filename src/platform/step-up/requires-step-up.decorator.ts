import { applyDecorators } from '@nestjs/common';
import type { ProblemCode } from '../../common/errors/problem.js';
import { ApiProblems } from '../../common/openapi/api-problems.js';
import { StrictRateLimit } from '../throttling/rate-limit.guard.js';

/**
 * The route needs a step-up: it is limited strictly, and its problems are documented. Its handler takes a `StepUpDto`,
 * and its service calls `StepUp.require` first.
 *
 * @param problems the operation's own, beside those of the step-up
 */
export const RequiresStepUp = (...problems: ProblemCode[]) =>
  applyDecorators(StrictRateLimit(), ApiProblems('STEP_UP_REQUIRED', 'INVALID_CREDENTIALS', ...problems));
