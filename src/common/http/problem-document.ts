import { type ProblemCode, type ProblemError, PROBLEMS } from '../errors/problem.js';

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

let publicUrl = '';

/** Says where the service is for its clients, and so the pages of its problems; once, before anything is served. */
export function servePublicly(url: string): void {
  publicUrl = url;
}

/** The name of a problem in the address of its page: `not-found`. */
export function problemNameOf(code: ProblemCode): string {
  return code.toLowerCase().replaceAll('_', '-');
}

/** The `type` of a problem document: the page that explains its code. */
export function problemTypeOf(code: ProblemCode): string {
  return `${publicUrl}/problems/${problemNameOf(code)}`;
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
