import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Injectable, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isDatabaseUnreachable } from '../errors/database-unreachable.js';
import { DependencyUnavailableError, NotFoundError, type ProblemCode, ProblemError } from '../errors/problem.js';
import { RangeNotSatisfiableError } from './byte-range.js';
import { hasBrokenOff } from './client-gone.js';
import { problemHeaders, toProblemDocument } from './problem-document.js';
import { RouteMethods } from './route-methods.js';

/** Refusals of the framework's own, by their status; they happen before any handler of ours is reached. */
const FRAMEWORK_PROBLEMS: Record<number, [ProblemCode, string]> = {
  400: ['MALFORMED_BODY', 'The body is not valid JSON.'],
  412: ['VERSION_MISMATCH', 'The file is another one.'],
  413: ['PAYLOAD_TOO_LARGE', 'A body may have at most 1 MiB.'],
  415: ['UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json.'],
};

/** Turns every thrown error into `application/problem+json` (RFC 9457); nothing internal leaves the process. */
@Catch()
@Injectable()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  constructor(private readonly routes: RouteMethods) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const problem = this.toProblem(thrown, request);
    this.log(problem, thrown);
    if (reply.sent) return;
    void reply.status(problem.status).headers(problemHeaders(problem)).send(toProblemDocument(problem, request));
  }

  /** One that is shed is counted; a line for each would only add to the load. */
  private log({ status, code, cause }: ProblemError, thrown: unknown): void {
    if (status < 500 || code === 'OVERLOADED') return;
    // Only what is a fault of ours is an error: those are reported.
    this.logger[code === 'INTERNAL' ? 'error' : 'warn']({ err: cause ?? thrown }, code);
  }

  private toProblem(thrown: unknown, request: FastifyRequest): ProblemError {
    if (thrown instanceof ProblemError) return thrown;
    // Nobody reads the answer.
    if (hasBrokenOff(request.raw)) return new ProblemError('MALFORMED_BODY', 'The request broke off.');
    if (thrown instanceof HttpException) {
      const status = thrown.getStatus();
      if (status === 404) return this.routes.problemOf(request);
      // A path that leads out of the folder of Swagger UI's files (`/docs/../`).
      if (status === 403) return new NotFoundError();
      if (status === 416) return new RangeNotSatisfiableError(contentRangeOf(thrown.cause));
      const known = FRAMEWORK_PROBLEMS[status];
      if (known) return new ProblemError(...known);
    }
    if (isDatabaseUnreachable(thrown)) {
      return new DependencyUnavailableError('The database is not reachable at the moment: try again soon.', 1, thrown);
    }
    return new ProblemError('INTERNAL', 'The fault is ours and has been recorded under this requestId.', {
      cause: thrown,
    });
  }
}

/** What `@fastify/static` says of the file. */
function contentRangeOf(cause: unknown): string {
  const { headers } = cause as { headers?: Record<string, string> };
  return headers?.['Content-Range'] ?? 'bytes */*';
}
