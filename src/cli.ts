import { parseArgs } from 'node:util';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { AppModule } from './app.module.js';
import { ProblemError } from './common/errors/problem.js';
import { toFieldErrors } from './common/http/validation.js';
import { ConfigurationError, type Environment, readEnvironment } from './config/environment.js';
import { AuthService } from './modules/auth/auth.service.js';
import { RegisterDto } from './modules/auth/dto/auth-requests.dto.js';
import { IndexSynchronizer } from './platform/database/index-synchronizer.js';

const USAGE = `Usage: cli <command>

  create-admin --name NAME --email EMAIL   makes an administrator; the password comes from
                                           ADMIN_PASSWORD or from standard input
  sync-indexes                             creates the database's indexes (before a rollout)
`;

/** A mistake in how the command was called; its message says how to call it. */
class UsageError extends Error {}

async function createAdmin(environment: Environment, args: string[]): Promise<string> {
  const { values } = parseArgs({ args, options: { name: { type: 'string' }, email: { type: 'string' } } });
  const password = process.env.ADMIN_PASSWORD ?? (await readLine());
  const registration = plainToInstance(RegisterDto, { ...values, password });
  const errors = toFieldErrors(validateSync(registration, { stopAtFirstError: true }));
  if (errors.length > 0) throw new UsageError(errors.map(({ field, message }) => `${field}: ${message}`).join('\n'));
  await withApp(environment, (app) => app.get(AuthService, { strict: false }).registerAdmin(registration));
  return 'The administrator can log in now.';
}

async function syncIndexes(environment: Environment): Promise<string> {
  await withApp(environment, (app) => app.get(IndexSynchronizer, { strict: false }).synchronize());
  return 'All indexes are in place.';
}

const COMMANDS: Record<string, (environment: Environment, args: string[]) => Promise<string>> = {
  'create-admin': createAdmin,
  'sync-indexes': syncIndexes,
};

/** The service's parts, built but not started: no server, no background work. */
async function withApp<T>(environment: Environment, work: (app: INestApplication) => Promise<T>): Promise<T> {
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

/** The first line of standard input, where it is piped or typed. */
async function readLine(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write('Password: ');
  let text = '';
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  return text.split('\n')[0] ?? '';
}

const [name = '', ...args] = process.argv.slice(2);
const command = COMMANDS[name];
if (!command) {
  process.stderr.write(USAGE);
  process.exit(name === '' || name === '--help' ? 0 : 2);
}
try {
  console.log(await command(readEnvironment(process.env), args));
  process.exit(0);
} catch (error) {
  const expected = error instanceof UsageError || error instanceof ProblemError || error instanceof ConfigurationError;
  console.error(expected ? error.message : error);
  process.exit(1);
}
