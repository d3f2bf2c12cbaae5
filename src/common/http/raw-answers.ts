import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ProblemError } from '../errors/problem.js';
import { problemHeaders, toProblemDocument } from './problem-document.js';
import { requestIdOf } from './request-context.js';

/** Whether an earlier request of the connection is still being answered: a client that doesn't wait sends several. */
export function isBeingAnswered(socket: Duplex): boolean {
  return Boolean((socket as Duplex & { _httpMessage?: ServerResponse | null })._httpMessage);
}

/** Answers on a connection that has no response, and ends it. */
export function endWithProblem(socket: Duplex, problem: ProblemError, requestId: string): void {
  // Node has removed its own listener where it hands a connection over: without one, a reset would end the process.
  socket.on('error', () => socket.destroy());
  const body = JSON.stringify(toProblemDocument(problem, { id: requestId, url: '' }));
  const headers = { ...rawHeaders(problem, requestId, body), Connection: 'close' };
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

/** Answers a request that is kept from the framework. */
export function answerProblem(problem: ProblemError, request: IncomingMessage, response: ServerResponse): void {
  const id = requestIdOf(request);
  const body = JSON.stringify(toProblemDocument(problem, { id, url: request.url ?? '' }));
  response.writeHead(problem.status, rawHeaders(problem, id, body)).end(body);
}

/** What every answer has that the framework doesn't make. */
export function rawHeaders(problem: ProblemError, requestId: string, body: string): Record<string, string | number> {
  return {
    ...problemHeaders(problem),
    'Content-Length': Buffer.byteLength(body),
    'X-Content-Type-Options': 'nosniff',
    'X-Request-Id': requestId,
  };
}
