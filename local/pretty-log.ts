interface LogLine {
  time?: string | number;
  level?: string | number;
  msg?: string;
  context?: string;
  method?: string;
  path?: string;
  status?: number;
  ms?: number;
  requestId?: string;
  err?: { type?: string; message?: string; stack?: string };
}

const LEVELS: Record<number, string> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };
const COLOURS: Record<string, number> = { trace: 90, debug: 90, warn: 33, error: 31, fatal: 31 };

function parse(line: string): LogLine | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return undefined;
  }
}

function clock(time: LogLine['time']): string {
  const date = new Date(time ?? NaN);
  return Number.isNaN(date.getTime()) ? '' : date.toTimeString().slice(0, 8);
}

function levelName(level: LogLine['level']): string {
  return typeof level === 'number' ? (LEVELS[level] ?? String(level)) : (level ?? 'info');
}

/**
 * One of the service's JSON log lines as a line for people: time, level, then the request or the message, and the
 * request's id. An error's stack follows on lines of its own. What isn't JSON is left as it is.
 */
export function prettyLine(line: string, colour: boolean): string {
  const entry = parse(line);
  if (!entry) return line;
  const level = levelName(entry.level);
  const request = entry.method && [entry.method, entry.path, entry.status, entry.ms && `${entry.ms} ms`];
  const said = request || [entry.context && `[${entry.context}]`, entry.msg];
  const problem = entry.err && (entry.err.stack ?? `${entry.err.type}: ${entry.err.message}`);
  const parts = [clock(entry.time), level.padEnd(5), ...said, entry.requestId].filter(Boolean).join(' ');
  const text = problem ? `${parts}\n${problem}` : parts;
  const code = COLOURS[level];
  return colour && code ? `\x1b[${code}m${text}\x1b[0m` : text;
}

/** What a framework says of itself while it boots, and the probes' own requests: true, and of no use on a screen. */
export function isNoise(line: string): boolean {
  const entry = parse(line);
  if (!entry || levelName(entry.level) !== 'info') return false;
  if (entry.path?.startsWith('/health') && entry.status === 200) return true;
  return /^(NestFactory|InstanceLoader|RoutesResolver|RouterExplorer|NestApplication)$/.test(entry.context ?? '');
}
