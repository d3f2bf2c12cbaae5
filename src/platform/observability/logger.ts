import type { LoggerService } from '@nestjs/common';
import { type LevelWithSilent, type Logger as PinoLogger, pino } from 'pino';
import { requestContext } from '../../common/http/request-context.js';
import { workerId } from '../cluster/worker.js';

/** Personal data and secrets that messages of libraries may carry (a duplicate key names the address, say). */
const SENSITIVE: [RegExp, string][] = [
  [/[\w.%+-]+@[\w-]+(\.[\w-]+)+/g, '[email]'],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, '[token]'],
  [/(:\/\/)[^/@\s]+@/g, '$1[credentials]@'],
];

function scrub(text: string): string {
  return SENSITIVE.reduce((scrubbed, [pattern, replacement]) => scrubbed.replace(pattern, replacement), text);
}

function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? scrub(error) : 'not an Error';
  const { code } = error as { code?: unknown };
  return { type: error.name, message: scrub(error.message), code, stack: scrub(error.stack ?? '') };
}

/** JSON lines on standard output, each with the id of the request and its user where there is one. */
export function createLogger(level: string): PinoLogger {
  return pino({
    level: level as LevelWithSilent,
    base: { service: 'scalable-api', worker: workerId() },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: serializeError },
    redact: {
      paths: ['*.password', '*.token', '*.refreshToken', '*.accessToken', '*.authorization', '*.cookie', '*.email'],
      censor: '[redacted]',
    },
    mixin: () => ({ ...requestContext.getStore() }),
  });
}

type Level = 'info' | 'error' | 'warn' | 'debug' | 'trace' | 'fatal';

/** What Nest says of its own start: hundreds of lines that tell an operator nothing. */
const FRAMEWORK_CONTEXTS = new Set<unknown>(['InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestFactory']);

/** Nest's logging on pino: `logger.warn({ err }, 'what happened')` or `logger.warn('what happened')`. */
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
    if (message instanceof Error) return this.pino[level]({ err: message, context }, scrub(message.message));
    if (typeof message === 'object' && message !== null) {
      return this.pino[level]({ ...message, context }, typeof rest[0] === 'string' ? rest[0] : undefined);
    }
    this.pino[level]({ context }, scrub(String(message)));
  }
}
