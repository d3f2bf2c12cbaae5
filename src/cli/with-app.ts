import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AppModule } from '../app.module.js';
import type { Environment } from '../config/environment.js';
import type { ModuleName } from '../contracts/modules.js';
import { UsageError } from './command.js';

/**
 * The service's parts, built but not started: no server, no background work.
 *
 * @param needed the module that the command works on
 * @throws UsageError where the environment is that of a process that doesn't serve it
 */
export async function withApp<T>(
  environment: Environment,
  work: (app: INestApplication) => Promise<T>,
  needed?: ModuleName,
): Promise<T> {
  if (needed && !environment.MODULES.includes(needed)) {
    throw new UsageError(
      `This command is for the processes that serve ${needed}: run it with their MODULES and database.`,
    );
  }
  const app = await NestFactory.create(AppModule.forRoot(environment), new FastifyAdapter(), {
    logger: ['error'],
    abortOnError: false,
  });
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}
