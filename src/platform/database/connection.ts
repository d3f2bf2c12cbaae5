import type { DatabaseEnvironment } from '../../config/areas/database.environment.js';
import { tlsOptions } from '../tls/tls-options.js';
import { tlsProblem } from '../tls/tls-problem.js';

/** The driver's options for `MONGODB_TLS_*`, which turn TLS on, also where `MONGODB_URI` doesn't ask for it. */
export function databaseTls(environment: DatabaseEnvironment): object {
  const options = tlsOptions(environment, 'MONGODB');
  return options ? { tls: true, ...options } : {};
}

/** Why MongoDB couldn't be reached, and what to do about it: the end of a sentence. */
export function databaseProblem(error: unknown, environment: DatabaseEnvironment): string {
  const problem = tlsProblem(error, environment, 'MONGODB');
  if (problem) return problem;
  // A server that closes the connection without an answer may require a client certificate.
  const certificates = tlsOptions(environment, 'MONGODB') ? ', and MONGODB_TLS_CERT and MONGODB_TLS_KEY' : '';
  return `check MONGODB_URI${certificates}, and that the server runs`;
}
