import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { type FieldError, ValidationFailedError } from '../common/errors/problem.js';
import { toFieldErrors } from '../common/http/validation.js';
import { loadEnvironment } from '../config/load-environment.js';
import { AuthService } from '../modules/auth/auth.service.js';
import { RegisterDto } from '../modules/auth/dto/auth-requests.dto.js';
import { type Outcome, UsageError } from './command.js';
import { withApp } from './with-app.js';

/** `create-admin`: the only way to the first administrator. */
export async function createAdmin(
  account: { name: string; email: string },
  source: NodeJS.ProcessEnv,
): Promise<Outcome> {
  const environment = await loadEnvironment(source);
  const password = source.ADMIN_PASSWORD ?? (await readLine());
  const registration = plainToInstance(RegisterDto, { name: account.name, email: account.email, password });
  const errors = toFieldErrors(validateSync(registration, { stopAtFirstError: true }));
  if (errors.length > 0) throw usageError(errors);
  await withApp(environment, (app) => app.get(AuthService, { strict: false }).registerAdmin(registration), [
    'auth',
  ]).catch((error: unknown) => {
    throw error instanceof ValidationFailedError ? usageError(error.errors) : error;
  });
  return { output: 'The administrator can log in now.' };
}

function usageError(errors: FieldError[]): UsageError {
  return new UsageError(errors.map(({ field, message }) => `${field}: ${message}`).join('\n'));
}

/** The first line of standard input; what is typed at a terminal isn't shown. */
async function readLine(): Promise<string> {
  const terminal = process.stdin.isTTY;
  if (terminal) process.stderr.write('Password: ');
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal });
  for await (const line of lines) {
    if (terminal) process.stderr.write('\n');
    return line;
  }
  return '';
}
