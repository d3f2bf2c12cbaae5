import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ConfigurationError, Environment } from '../../config/environment.js';
import { withSecrets } from '../../config/load-environment.js';
import { readVariable } from '../../config/read-variables.js';
import { type Outcome, UsageError } from '../command.js';
import { KEY_KINDS, type KeyKind } from './key-kinds.js';
import { add, adviceFor, promote, retire, type Waits } from './steps.js';

const USAGE = `Usage: cli keys STEP jwt|app-secret [--out FILE]

The first key of JWT_PRIVATE_KEYS (jwt) or APP_SECRETS (app-secret) makes, all of them read. To replace it
without a log-out: add, roll out, promote, roll out, wait, retire, roll out. Each step prints the variable's
next value, made of the one it finds in the environment; nothing else changes. What to do next is said on
standard error.

  list      the keys' ids, the first first: a JWT's kid, a secret's fingerprint
  make      one new key, for the first start
  add       the value with a new key behind the others
  promote   the value with its last key first
  retire    the value without its last key
  public    of jwt: JWT_PUBLIC_KEYS for the processes that don't serve auth, to be set with each step

  --out FILE   writes to a new file that only its owner may read, instead of to standard output`;

const PUBLIC_NOTE =
  'Set JWT_PUBLIC_KEYS to this for every process that does not serve auth. They need no JWT_PRIVATE_KEYS.';

/** `keys`: text in, text out. It needs that one variable, from wherever the service has it, and no database. */
export async function keys(args: string[], source: NodeJS.ProcessEnv): Promise<Outcome> {
  const { step, kind, out } = parse(args);
  if (step === 'list') return { output: list(kind, current(kind, await withSecrets(source))) };
  if (step === 'make') return deliver(kind.make(), adviceFor(step, kind, readWaits(source)), out);
  const complete = await withSecrets(source);
  if (step === 'public') return deliver(publicPart(kind, current(kind, complete)), PUBLIC_NOTE, out);
  const before = current(kind, complete);
  const after = { add: () => add(before, kind.make()), promote: () => promote(before), retire: () => retire(before) };
  const next = after[step]();
  return deliver(kind.join(next), `${list(kind, next)}\n${adviceFor(step, kind, readWaits(complete))}`, out);
}

type Step = 'list' | 'make' | 'add' | 'promote' | 'retire' | 'public';
const STEPS: readonly string[] = ['list', 'make', 'add', 'promote', 'retire', 'public'] satisfies Step[];

function parse(args: string[]): { step: Step; kind: KeyKind; out?: string } {
  try {
    const { positionals, values } = parseArgs({ args, allowPositionals: true, options: { out: { type: 'string' } } });
    const [step = '', name = '', ...rest] = positionals;
    const kind = Object.hasOwn(KEY_KINDS, name) ? KEY_KINDS[name] : undefined;
    if (kind && STEPS.includes(step) && rest.length === 0) return { step: step as Step, kind, out: values.out };
  } catch {
    // An unknown option.
  }
  throw new UsageError(USAGE);
}

function current({ variable, split, isUsable }: KeyKind, source: NodeJS.ProcessEnv): string[] {
  const value = readVariable(source, variable);
  if (!value) throw new ConfigurationError(`${variable} is missing: run this with the service's environment.`);
  const found = split(value);
  if (found.length > 0 && found.every(isUsable)) return found;
  throw new ConfigurationError(
    `${variable} holds something else than usable keys: the service wouldn't start with it.`,
  );
}

function publicPart({ publicPartOf, join }: KeyKind, present: readonly string[]): string {
  if (!publicPartOf) throw new UsageError(USAGE);
  return join(present.map(publicPartOf));
}

function readWaits(source: NodeJS.ProcessEnv): Waits {
  const defaults = new Environment();
  const seconds = (name: 'ACCESS_TOKEN_TTL_SECONDS' | 'REFRESH_TOKEN_TTL_SECONDS') =>
    Number(readVariable(source, name) ?? defaults[name]);
  return { accessToken: seconds('ACCESS_TOKEN_TTL_SECONDS'), refreshToken: seconds('REFRESH_TOKEN_TTL_SECONDS') };
}

function list(kind: KeyKind, present: readonly string[]): string {
  return present.map((key, index) => `${index + 1}. ${kind.idOf(key)} ${index === 0 ? 'makes' : 'reads'}`).join('\n');
}

function deliver(value: string, note: string, out: string | undefined): Outcome {
  if (out === undefined) return { output: value, note };
  try {
    writeFileSync(out, `${value}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'EEXIST' ? 'it exists already' : (error as Error).message;
    throw new UsageError(`${out} can't be written: ${reason}.`);
  }
  return { output: '', note };
}
