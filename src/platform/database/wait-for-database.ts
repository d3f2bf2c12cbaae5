import { setTimeout as delay } from 'node:timers/promises';
import mongoose from 'mongoose';
import type { Environment } from '../../config/environment.js';

const ATTEMPT_TIMEOUT_MS = 2000;
const PAUSE_MS = 500;

/**
 * Resolves once MongoDB answers. A service that starts before its database waits for it (orchestrators see "not
 * started", not "crashed").
 *
 * @param report is told of the first failed attempt, and of every tenth
 */
export async function waitForDatabase({ MONGODB_URI }: Environment, report: (message: string) => void): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const connection = mongoose.createConnection(MONGODB_URI, {
      serverSelectionTimeoutMS: ATTEMPT_TIMEOUT_MS,
      maxPoolSize: 1,
    });
    try {
      await connection.asPromise();
      return;
    } catch (error) {
      if (attempt % 10 === 1) report(`MongoDB is not reachable yet (${(error as Error).name}): check MONGODB_URI`);
      await delay(PAUSE_MS);
    } finally {
      await connection.close();
    }
  }
}
