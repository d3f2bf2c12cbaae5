import { Argument, type Command } from 'commander';
import type { ModuleName } from '../../contracts/modules.js';
import { toModules } from '../arguments.js';
import type { Outcome } from '../command.js';
import type { KEY_KINDS } from './key-kinds.js';
import type { Step } from './keys.js';

type KindName = keyof typeof KEY_KINDS;

const KINDS: readonly KindName[] = ['jwt', 'app-secret'];
const EXPLANATION = `
The first key of JWT_PRIVATE_KEYS (jwt) or APP_SECRETS (app-secret) makes, all of them read. To replace it
without a log-out: add, roll out, promote, roll out, wait, retire, roll out. Each step prints the variable's
next value, made of the one it finds in the environment; nothing else changes. What to do next is said on
standard error.`;

interface StepDefinition {
  step: Step;
  description: string;
  /** For which kinds; default: all. */
  kinds?: readonly KindName[];
}

const STEPS: StepDefinition[] = [
  { step: 'list', description: "print the keys' ids, the first first: a JWT's kid, a secret's fingerprint" },
  { step: 'make', description: 'make one new key, for the first start' },
  { step: 'add', description: 'print the value with a new key behind the others' },
  { step: 'promote', description: 'print the value with its last key first' },
  { step: 'retire', description: 'print the value without its last key' },
  {
    step: 'public',
    kinds: ['jwt'],
    description: "print JWT_PUBLIC_KEYS, for the processes that don't serve auth; to be set with each step",
  },
  {
    step: 'derive',
    kinds: ['app-secret'],
    description:
      'print APP_KEYS, in place of APP_SECRETS, for the processes that serve some modules; to be set with each step',
  },
];

interface Options {
  out?: string;
  for?: ModuleName[];
  json?: boolean;
}

type Show = (outcome: Outcome, options: { json?: boolean }) => void;

/** Adds `keys`, with a command of its own for each step. @param show prints what a step gave */
export function addKeysCommand(program: Command, show: Show): void {
  const keys = program
    .command('keys')
    .description('the keys of JWT_PRIVATE_KEYS and APP_SECRETS: make, list and replace them')
    .addHelpText('after', EXPLANATION);
  for (const { step, description, kinds = KINDS } of STEPS) {
    const command = keys
      .command(step)
      .description(description)
      .addArgument(new Argument('<kind>', 'the kind of key').choices(kinds));
    if (step === 'list') command.option('--json', 'print the ids as JSON', false);
    else command.option('--out <file>', 'write to a new file that only its owner may read');
    if (step === 'derive') command.requiredOption('--for <modules>', 'such as auth,users', toModules);
    command.action(async (name: KindName, { out, for: modules, json = false }: Options) => {
      const [{ keys }, { KEY_KINDS }] = await Promise.all([import('./keys.js'), import('./key-kinds.js')]);
      show(await keys(step, KEY_KINDS[name], process.env, { out, modules }), { json });
    });
  }
}
