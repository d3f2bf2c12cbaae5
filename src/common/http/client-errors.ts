import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import { NotFoundError, type ProblemCode } from '../errors/problem.js';
import { PROBLEM_MEDIA_TYPE, toProblemDocument } from './problem-document.js';

interface ClientError {
  status: number;
  detail: string;
  code?: ProblemCode;
}

/** By the code of Node's error; anything else is a message that isn't HTTP. */
const CLIENT_ERRORS: Record<string, ClientError> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, detail: 'The request took too long to arrive.' },
  HPE_HEADER_OVERFLOW: { status: 431, detail: 'The address and the header fields may have at most 16 KiB together.' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413,
    detail: 'The chunk extensions are too long.',
    code: 'PAYLOAD_TOO_LARGE',
  },
};
const NOT_HTTP: ClientError = {
  status: 400,
  detail: 'The message is not a valid HTTP/1.1 request.',
  code: 'VALIDATION_FAILED',
};

/** Answers what never became a request (RFC 9110, 15.5; RFC 6585, 5), as a problem too, and ends the connection. */
export function answerClientError(error: Error & { code?: string }, socket: Socket, logger: FastifyBaseLogger): void {
  // The client has gone, or has hung up in the middle: nobody is there to read an answer.
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, detail, code } = CLIENT_ERRORS[error.code ?? ''] ?? NOT_HTTP;
  const requestId = randomUUID();
  const title = STATUS_CODES[status] ?? '';
  logger.debug({ requestId, status, reason: error.code }, 'refused a message that is no proper request');
  const body = JSON.stringify({ type: 'about:blank', title, status, detail, ...(code && { code }), requestId });
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    `Content-Type: ${PROBLEM_MEDIA_TYPE}; charset=utf-8`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    `X-Request-Id: ${requestId}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

/**
 * Answers a path that the router can't read, because of a broken escape (`%zz`) or a parameter longer than any of ours:
 * there is nothing at such an address. No hook has run for it.
 */
export function answerUnreadablePath(_error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const problem = new NotFoundError();
  void reply
    .status(problem.status)
    .headers({ 'X-Request-Id': request.id, 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' })
    .type(PROBLEM_MEDIA_TYPE)
    .send(toProblemDocument(problem, request));
}
