import { prettyFactory } from 'pino-pretty';

interface LogLine {
  level?: string | number;
  msg?: string;
  context?: string;
  method?: string;
  path?: string;
  status?: number;
  ms?: number;
  requestId?: string;
}

const format = (colorize: boolean) =>
  prettyFactory({
    colorize,
    translateTime: 'SYS:HH:MM:ss',
    include: 'time,level,err',
    messageFormat: (entry) => messageOf(entry),
  });
const formatColoured = format(true);
const formatPlain = format(false);

function messageOf({ method, path, status, ms, context, msg, requestId }: LogLine): string {
  const request = method && [method, path, status, ms && `${ms} ms`];
  return [...(request || [context && `[${context}]`, msg]), requestId].filter(Boolean).join(' ');
}

/**
 * One of the service's JSON log lines as a line for people: time, level, then the request or the message, and the
 * request's id. An error follows on lines of its own. What isn't JSON is left as it is.
 */
export function prettyLine(line: string, colour: boolean): string {
  return (colour ? formatColoured : formatPlain)(line).trimEnd();
}

function parse(line: string): LogLine | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return undefined;
  }
}

/** What a framework says of itself while it boots, and the probes' own requests: true, and of no use on a screen. */
export function isNoise(line: string): boolean {
  const entry = parse(line);
  if (!entry || (entry.level !== 'info' && entry.level !== 30)) return false;
  if (entry.path?.startsWith('/health') && entry.status === 200) return true;
  return /^(NestFactory|InstanceLoader|RoutesResolver|RouterExplorer|NestApplication)$/.test(entry.context ?? '');
}
