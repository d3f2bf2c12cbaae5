import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../errors/problem.js';
import { answerProblem, endWithProblem, isBeingAnswered } from './raw-answers.js';
import { requestIdOf } from './request-context.js';

/** Node gives the address and the header fields 16 KiB together: what is left is for the header fields. */
const MAX_URL_LENGTH = 14 * 1024;
/** RFC 9112, 3.2: a name, an IPv4 or an IPv6 address, and a port; an empty one is allowed. */
const HOST = /^(?:\[[\da-f:.]+\]|[\w.~%-]*)(?::\d{0,5})?$/i;

export class UriTooLongError extends ProblemError {
  constructor() {
    super('URI_TOO_LONG', `An address may have at most ${MAX_URL_LENGTH / 1024} KiB.`);
  }
}

/** @returns the rule of HTTP that a request breaks, independent of its route; null for none */
export function protocolProblemOf({ httpVersion, rawHeaders, url = '' }: IncomingMessage): ProblemError | null {
  const hosts: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts.push(rawHeaders[index + 1]!);
  }
  const isEnough = hosts.length === 1 || (hosts.length === 0 && httpVersion === '1.0');
  if (!isEnough || !hosts.every((host) => HOST.test(host))) {
    return new ProblemError('BAD_REQUEST', 'The request needs one Host header field, with the name of a host.');
  }
  return url.length > MAX_URL_LENGTH ? new UriTooLongError() : null;
}

/**
 * Answers what Node would answer without a body, or not at all, with a problem: no or several hosts, an expectation that
 * can't be met (RFC 9110, 10.1.1), and tunnels.
 */
export function checkProtocol(server: FastifyInstance): void {
  server.addHook('onRequest', (request, _reply, done) => done(protocolProblemOf(request.raw) ?? undefined));
  server.server.on('checkExpectation', (request, response) => {
    answerProblem(new ProblemError('EXPECTATION_FAILED', 'Only 100-continue can be expected.'), request, response);
  });
  server.server.on('connect', (request, socket) => {
    if (isBeingAnswered(socket)) return void socket.destroy();
    const problem = new ProblemError('NOT_IMPLEMENTED', 'This is no proxy: CONNECT is not implemented.');
    endWithProblem(socket, problem, requestIdOf(request));
  });
}
