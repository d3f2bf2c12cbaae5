import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AppModule } from '../app.module.js';
import { ConfigurationError, type Environment } from '../config/environment.js';
import type { ModuleName } from '../contracts/modules.js';

/**
 * The service's parts, built but not started: no server, no background work.
 *
 * @param needed the modules that the command works on
 * @throws ConfigurationError where the environment is that of a process that doesn't serve them
 */
export async function withApp<T>(
  environment: Environment,
  work: (app: INestApplication) => Promise<T>,
  needed: ModuleName[] = [],
): Promise<T> {
  if (!needed.every((module) => environment.MODULES.includes(module))) {
    throw new ConfigurationError(
      `This command is for a process that serves ${needed.join(' and ')}: run it with its MODULES and database.`,
    );
  }
  const app = await NestFactory.create(await AppModule.forRoot(environment), new FastifyAdapter(), {
    logger: ['error'],
    abortOnError: false,
  });
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}
