import { setTimeout as delay } from 'node:timers/promises';
import mongoose from 'mongoose';
import type { DatabaseEnvironment } from '../../config/areas/database.environment.js';
import { databaseProblem, databaseTls } from './connection.js';

const ATTEMPT_TIMEOUT_MS = 2000;
const PAUSE_MS = 500;

/**
 * Resolves once MongoDB answers. A service that starts before its database waits for it (orchestrators see "not
 * started", not "crashed").
 *
 * @param report gets the reason of the first failed attempt, of every tenth, and of each whose reason differs from the last
 * @param standIn what answers in the service's place where there is a wait; gives how to end that
 */
export async function waitForDatabase(
  environment: DatabaseEnvironment,
  report: (message: string) => void,
  standIn?: () => Promise<() => Promise<void>>,
): Promise<void> {
  let problem = await findProblem(environment);
  if (problem === null) return;
  const leave = await standIn?.();
  let reported = '';
  for (let attempt = 1; problem !== null; attempt++) {
    if (problem !== reported || attempt % 10 === 1) report(`MongoDB is not reachable yet: ${problem}`);
    reported = problem;
    await delay(PAUSE_MS);
    problem = await findProblem(environment);
  }
  await leave?.();
}

/** @returns why MongoDB can't be reached, null where it can */
async function findProblem(environment: DatabaseEnvironment): Promise<string | null> {
  const connection = mongoose.createConnection(environment.MONGODB_URI, {
    ...databaseTls(environment),
    serverSelectionTimeoutMS: ATTEMPT_TIMEOUT_MS,
    maxPoolSize: 1,
  });
  try {
    await connection.asPromise();
    return null;
  } catch (error) {
    return databaseProblem(error, environment);
  } finally {
    await connection.close();
  }
}
