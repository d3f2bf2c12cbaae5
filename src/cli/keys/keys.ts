import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ConfigurationError, Environment } from '../../config/environment.js';
import { withSecrets } from '../../config/load-environment.js';
import { toList } from '../../config/parse.js';
import { readVariable } from '../../config/read-variables.js';
import { MODULES } from '../../contracts/modules.js';
import { type Outcome, UsageError } from '../command.js';
import { KEY_KINDS, type KeyKind } from './key-kinds.js';
import { add, adviceFor, promote, retire, type Waits } from './steps.js';

const USAGE = `Usage: cli keys STEP jwt|app-secret [--for MODULES] [--out FILE]

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
  derive    of app-secret: APP_KEYS for the processes that serve the modules after --for (such as auth,users),
            in place of APP_SECRETS, to be set with each step

  --out FILE   writes to a new file that only its owner may read, instead of to standard output`;

const derivedNote = (modules: string[]) =>
  `Set APP_KEYS to this for every process with MODULES=${modules.join(',')}. They need no APP_SECRETS.`;
const PUBLIC_NOTE =
  'Set JWT_PUBLIC_KEYS to this for every process that does not serve auth. They need no JWT_PRIVATE_KEYS.';

/** `keys`: text in, text out. It needs that one variable, from wherever the service has it, and no database. */
export async function keys(args: string[], source: NodeJS.ProcessEnv): Promise<Outcome> {
  const { step, kind, out, modules } = parse(args);
  if (step === 'list') return { output: list(kind, current(kind, await withSecrets(source))) };
  if (step === 'make') return deliver(kind.make(), adviceFor(step, kind, readWaits(source)), out);
  const complete = await withSecrets(source);
  if (step === 'public') return deliver(publicPart(kind, current(kind, complete)), PUBLIC_NOTE, out);
  if (step === 'derive') {
    return deliver(derived(kind, complete, modules), derivedNote(modules), out);
  }
  const before = current(kind, complete);
  const after = { add: () => add(before, kind.make()), promote: () => promote(before), retire: () => retire(before) };
  const next = after[step]();
  return deliver(kind.join(next), `${list(kind, next)}\n${adviceFor(step, kind, readWaits(complete))}`, out);
}

type Step = 'list' | 'make' | 'add' | 'promote' | 'retire' | 'public' | 'derive';
const STEPS: readonly string[] = ['list', 'make', 'add', 'promote', 'retire', 'public', 'derive'] satisfies Step[];

function parse(args: string[]): { step: Step; kind: KeyKind; out?: string; modules: string[] } {
  try {
    const options = { out: { type: 'string' }, for: { type: 'string' } } as const;
    const { positionals, values } = parseArgs({ args, allowPositionals: true, options });
    const [step = '', name = '', ...rest] = positionals;
    const kind = Object.hasOwn(KEY_KINDS, name) ? KEY_KINDS[name] : undefined;
    const modules = toList({ value: values.for ?? '' }) as string[];
    const areRight = modules.length > 0 === (step === 'derive') && modules.every(isModule);
    if (kind && STEPS.includes(step) && rest.length === 0 && areRight) {
      return { step: step as Step, kind, out: values.out, modules };
    }
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

function derived(kind: KeyKind, source: NodeJS.ProcessEnv, modules: string[]): string {
  const { derive } = kind;
  if (!derive) throw new UsageError(USAGE);
  return current(kind, source)
    .flatMap((secret) => derive(secret, modules))
    .join(',');
}

function isModule(name: string): boolean {
  return (MODULES as readonly string[]).includes(name);
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
