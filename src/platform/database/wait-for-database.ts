import { setTimeout as delay } from 'node:timers/promises';
import mongoose from 'mongoose';
import type { Environment } from '../../config/environment.js';
import { databaseProblem, databaseTls } from './connection.js';

const ATTEMPT_TIMEOUT_MS = 2000;
const PAUSE_MS = 500;

/**
 * Resolves once MongoDB answers. A service that starts before its database waits for it (orchestrators see "not
 * started", not "crashed").
 *
 * @param report is told why the first attempt failed, then every tenth, and whenever the reason changes
 */
export async function waitForDatabase(environment: Environment, report: (message: string) => void): Promise<void> {
  let reported = '';
  for (let attempt = 1; ; attempt++) {
    const connection = mongoose.createConnection(environment.MONGODB_URI, {
      ...databaseTls(environment),
      serverSelectionTimeoutMS: ATTEMPT_TIMEOUT_MS,
      maxPoolSize: 1,
    });
    try {
      await connection.asPromise();
      return;
    } catch (error) {
      const problem = databaseProblem(error, environment);
      if (problem !== reported || attempt % 10 === 1) report(`MongoDB is not reachable yet: ${problem}`);
      reported = problem;
      await delay(PAUSE_MS);
    } finally {
      await connection.close();
    }
  }
}
