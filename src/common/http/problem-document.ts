import { type ProblemCode, type ProblemError, PROBLEMS } from '../errors/problem.js';

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** The `type` of a problem document: a URN that names its code. */
export function problemTypeOf(code: ProblemCode): string {
  return `urn:scalable-api:problem:${code.toLowerCase().replaceAll('_', '-')}`;
}

/**
 * The body of an answer that reports `problem` (RFC 9457).
 *
 * @param request its address is empty where none was read
 */
export function toProblemDocument(problem: ProblemError, request: { id: string; url: string }) {
  return {
    type: problemTypeOf(problem.code),
    title: PROBLEMS[problem.code].title,
    status: problem.status,
    detail: problem.message,
    instance: request.url.replace(/\?.*/s, ''),
    code: problem.code,
    requestId: request.id,
    ...problem.members,
  };
}

/** The headers of an answer that reports `problem`. */
export function problemHeaders(problem: ProblemError): Record<string, string> {
  return { ...problem.headers, 'Cache-Control': 'no-store', 'Content-Type': `${PROBLEM_MEDIA_TYPE}; charset=utf-8` };
}
