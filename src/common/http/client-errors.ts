import { randomUUID } from 'node:crypto';
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import type { Socket } from 'node:net';
import { NotFoundError, type ProblemCode, ProblemError } from '../errors/problem.js';
import { toProblemDocument } from './problem-document.js';
import { protocolProblemOf, UriTooLongError } from './protocol.js';
import { endWithProblem, rawHeaders } from './raw-answers.js';

/** By the code of Node's error; anything else is a message that isn't HTTP. */
const CLIENT_ERRORS: Record<string, [ProblemCode, string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TIMEOUT', 'The request took too long to arrive.'],
  HPE_HEADER_OVERFLOW: ['HEADERS_TOO_LARGE', 'The address and the header fields may have at most 16 KiB together.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['PAYLOAD_TOO_LARGE', 'The chunk extensions are too long.'],
};
const NOT_HTTP: [ProblemCode, string] = ['BAD_REQUEST', 'The message is not a valid HTTP/1.1 request.'];

/** The first line of a request, with a method that is a token (RFC 9110, 9.1). */
const REQUEST_LINE = /^[\w!#$%&'*+.^`|~-]+ \S+ HTTP\/1\.[01]\r?\n/;
const UNFINISHED_REQUEST_LINE = /^[\w!#$%&'*+.^`|~-]+ \S+$/;

interface ParseError extends Error {
  code?: string;
  /** What was read last. */
  rawPacket?: Buffer;
  /** How much of it the parser took. */
  bytesParsed?: number;
}

/** Answers what never became a request (RFC 9110, 15.5; RFC 6585, 5), and ends the connection. */
export function answerClientError(error: ParseError, socket: Socket, logger: FastifyBaseLogger): void {
  // The client has gone, or has hung up in the middle: nobody is there to read an answer.
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  // Part of an answer is under way: another one would stand in the middle of it.
  const { _httpMessage: answer } = socket as Socket & { _httpMessage?: { headersSent: boolean } | null };
  if (answer?.headersSent) {
    socket.destroy();
    return;
  }
  const problem = problemOf(error);
  const requestId = randomUUID();
  const { status } = problem;
  logger.debug({ requestId, status, reason: error.code }, 'refused a message that is no proper request');
  endWithProblem(socket, problem, requestId);
}

function problemOf({ code = '', rawPacket, bytesParsed }: ParseError): ProblemError {
  const text = rawPacket?.toString('latin1') ?? '';
  if (code === 'HPE_INVALID_METHOD' && REQUEST_LINE.test(text)) {
    return new ProblemError('NOT_IMPLEMENTED', 'The method is not known here.');
  }
  if (code === 'HPE_HEADER_OVERFLOW' && UNFINISHED_REQUEST_LINE.test(text.slice(0, bytesParsed))) {
    return new UriTooLongError();
  }
  return new ProblemError(...(CLIENT_ERRORS[code] ?? NOT_HTTP));
}

/**
 * Answers a path that the router can't read, because of a broken escape (`%zz`) or a parameter longer than any of ours:
 * there is nothing at such an address. No hook has run for it.
 */
export function answerUnreadablePath(_error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const problem = protocolProblemOf(request.raw) ?? new NotFoundError();
  const body = JSON.stringify(toProblemDocument(problem, request));
  void reply
    .status(problem.status)
    .headers(rawHeaders(problem, request.id, body))
    .send(body);
}
