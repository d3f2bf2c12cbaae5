import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AppModule } from '../app.module.js';
import type { Environment } from '../config/environment.js';

/** The service's parts, built but not started: no server, no background work. */
export async function withApp<T>(environment: Environment, work: (app: INestApplication) => Promise<T>): Promise<T> {
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
