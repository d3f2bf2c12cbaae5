import { CommanderError } from 'commander';
import { NotFoundError, UsageError } from './cli/command.js';
import { buildProgram } from './cli/program.js';
import { ProblemError } from './common/errors/problem.js';
import { ConfigurationError } from './config/environment.js';

const EXIT_FAILED = 1;
const EXIT_MISUSED = 2;

try {
  const program = buildProgram();
  if (process.argv.length > 2) await program.parseAsync();
  else program.outputHelp();
} catch (error) {
  // Commander has printed its own.
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : EXIT_MISUSED);
  const expected = [UsageError, NotFoundError, ProblemError, ConfigurationError].some((type) => error instanceof type);
  console.error(expected ? (error as Error).message : error);
  process.exit(error instanceof UsageError ? EXIT_MISUSED : EXIT_FAILED);
}
