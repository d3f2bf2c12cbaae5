import type { LoggerService } from '@nestjs/common';
import { type Logger as PinoLogger, pino } from 'pino';
import { requestContext } from '../../common/http/request-context.js';
import { workerId } from '../cluster/worker.js';
import { LogDestination } from './log-destination.js';
import { reportError } from './errors/report-error.js';
import { scrub } from './scrub.js';
import { traceIds } from './tracing/spans.js';

function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? scrub(error) : 'not an Error';
  const { code } = error as { code?: unknown };
  return { type: error.name, message: scrub(error.message), code, stack: scrub(error.stack ?? '') };
}

/** JSON lines on standard output, each with the ids of the request, its user and the trace where there are any. */
export function createLogger(level: string): PinoLogger {
  const logger: PinoLogger = pino(
    {
      level,
      base: { service: 'scalable-api', worker: workerId() },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeError },
      redact: {
        paths: ['*.password', '*.token', '*.refreshToken', '*.accessToken', '*.authorization', '*.cookie', '*.email'],
        censor: '[redacted]',
      },
      mixin: () => {
        const { requestId, userId } = requestContext.getStore() ?? {};
        return { requestId, userId, ...traceIds() };
      },
    },
    new LogDestination(standardOutput(), (dropped, reason) =>
      logger.warn({ dropped, reason }, 'log lines were dropped: standard output could not be written'),
    ),
  );
  return logger;
}

/** The descriptor of standard output. Node makes a pipe or socket there non-blocking when its stream is first used. */
function standardOutput(): number {
  return process.stdout.fd;
}

type Level = 'info' | 'error' | 'warn' | 'debug' | 'trace' | 'fatal';

/** Nest's messages about its own start: hundreds of lines without use for an operator. */
const FRAMEWORK_CONTEXTS = new Set<unknown>(['InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestFactory']);

/**
 * Nest's logging on pino: `logger.warn({ err }, 'what happened')` or `logger.warn('what happened')`. What is logged as an
 * error, with the error that it was, is reported (`SENTRY_DSN`): it is a fault of the service that an operator has to look into.
 */
export class PinoLoggerService implements LoggerService {
  constructor(private readonly pino: PinoLogger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write('info', message, rest);
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  /** Nest appends the logger's context as the last argument. */
  private write(level: Level, message: unknown, rest: unknown[]): void {
    const context = rest.at(-1);
    if (level === 'info' && FRAMEWORK_CONTEXTS.has(context)) level = 'debug';
    const error = message instanceof Error ? message : (message as { err?: unknown } | null)?.err;
    if ((level === 'error' || level === 'fatal') && error instanceof Error) reportError(error, String(context));
    if (message instanceof Error) return this.pino[level]({ err: message, context }, scrub(message.message));
    if (typeof message === 'object' && message !== null) {
      return this.pino[level]({ ...message, context }, typeof rest[0] === 'string' ? rest[0] : undefined);
    }
    this.pino[level]({ context }, scrub(String(message)));
  }
}
