import { writeFileSync } from 'node:fs';
import { AuthEnvironment } from '../../config/areas/auth.environment.js';
import { ConfigurationError } from '../../config/environment.js';
import { withSecrets } from '../../config/load-environment.js';
import { readVariable } from '../../config/read-variables.js';
import type { ModuleName } from '../../contracts/modules.js';
import { type Outcome, UsageError } from '../command.js';
import type { KeyKind } from './key-kinds.js';
import { add, adviceFor, promote, retire, type Waits } from './steps.js';

const derivedNote = (modules: string[]) =>
  `Set APP_KEYS to this for every process with MODULES=${modules.join(',')}. They need no APP_SECRETS.`;
const PUBLIC_NOTE =
  'Set JWT_PUBLIC_KEYS to this for every process that does not serve auth. They need no JWT_PRIVATE_KEYS.';

export type Step = 'list' | 'make' | 'add' | 'promote' | 'retire' | 'public' | 'derive';

export interface KeysOptions {
  /** The file to write to, instead of standard output. */
  out?: string;
  /** Of `derive`: the modules whose keys are wanted. */
  modules?: ModuleName[];
}

/** `keys`: text in, text out. It needs that one variable, from wherever the service has it, and no database. */
export async function keys(
  step: Step,
  kind: KeyKind,
  source: NodeJS.ProcessEnv,
  { out, modules = [] }: KeysOptions = {},
): Promise<Outcome> {
  if (step === 'make') return deliver(kind.make(), adviceFor(step, kind, readWaits(source)), out);
  const complete = await withSecrets(source);
  const before = current(kind, complete);
  switch (step) {
    case 'list':
      return { output: list(kind, before), data: before.map((key) => kind.idOf(key)) };
    case 'public':
      return deliver(publicPart(kind, before), PUBLIC_NOTE, out);
    case 'derive':
      return deliver(derived(kind, before, modules), derivedNote(modules), out);
    default: {
      const after = {
        add: () => add(before, kind.make()),
        promote: () => promote(before),
        retire: () => retire(before),
      };
      const next = after[step]();
      return deliver(kind.join(next), `${list(kind, next)}\n${adviceFor(step, kind, readWaits(complete))}`, out);
    }
  }
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
  if (!publicPartOf) throw new UsageError('These keys have no public part.');
  return join(present.map(publicPartOf));
}

function derived({ derive }: KeyKind, present: readonly string[], modules: ModuleName[]): string {
  if (!derive) throw new UsageError('Nothing is derived of these keys.');
  return present.flatMap((secret) => derive(secret, modules)).join(',');
}

function readWaits(source: NodeJS.ProcessEnv): Waits {
  const defaults = new AuthEnvironment();
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
