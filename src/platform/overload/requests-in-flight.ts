import type { FastifyInstance, FastifyReply } from 'fastify';
import { Gauge } from 'prom-client';
import { DependencyUnavailableError } from '../../common/errors/problem.js';
import { problemHeaders, toProblemDocument } from '../../common/http/problem-document.js';
import { whenOver } from '../../common/http/when-over.js';
import type { DatabaseWatch } from '../database/database-watch.js';

/** How long a request may take while the database is silent, in milliseconds. */
const PATIENCE_MS = 1500;

const inFlight = new Gauge({
  name: 'http_requests_in_flight',
  help: 'HTTP requests that are being worked on: neither answered yet nor given up by their client',
});

/**
 * Counts requests that are being worked on, and answers those that wait for a silent database: what they wait for may
 * never come, and there is no metric, log line or retry before there is an answer.
 */
export function watchRequests(server: FastifyInstance, database: DatabaseWatch): void {
  const requests = new Set<FastifyReply>();

  server.addHook('onRequest', (_request, reply, done) => {
    requests.add(reply);
    inFlight.inc();
    whenOver(reply.raw, () => {
      requests.delete(reply);
      inFlight.dec();
    });
    done();
  });

  database.whileSilent(() => {
    for (const reply of requests) {
      if (!reply.sent && reply.elapsedTime > PATIENCE_MS) refuse(reply);
    }
  });
}

function refuse(reply: FastifyReply): void {
  const problem = new DependencyUnavailableError('The database does not answer at the moment: try again soon.');
  void reply.status(problem.status).headers(problemHeaders(problem)).send(toProblemDocument(problem, reply.request));
  // What the handler may give later comes too late, which is nothing to warn of.
  reply.send = () => reply;
}
