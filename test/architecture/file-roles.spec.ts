import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const MODULES = 'src/modules';
const ROLES = [
  'controller',
  'gateway',
  'guard',
  'interceptor',
  'listener',
  'module',
  'repository',
  'seeder',
  'service',
];
/** A class that Nest makes: its decorator with up to one level of parentheses inside, other decorators, and its name. */
const NEST_CLASS =
  /@(?:Controller|Injectable|Module)\((?:[^()]|\([^()]*\))*\)\s+(?:@.*\s+)*export (?:abstract )?class (\w+)/g;

interface NestClass {
  file: string;
  name: string;
}

const files = readdirSync(MODULES, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !file.endsWith('spec.ts'),
);
const classes = files.flatMap((file) =>
  [...readFileSync(join(MODULES, file), 'utf8').matchAll(NEST_CLASS)].map(([, name]) => ({
    file,
    name: name as string,
  })),
);

/** What is wrong with the name of a file; null where it says what its class is. */
function findFault({ file, name }: NestClass): string | null {
  const [stem, ...roles] = basename(file, '.ts').split('.') as [string, ...string[]];
  const role = ROLES.find((each) => name.toLowerCase().endsWith(each));
  if (roles.join('.') !== (role ?? '')) return `${file}: ${name} is ${role ? `a ${role}` : 'of no known role'}`;
  const named = `${stem.replaceAll('-', '')}${role ?? ''}`;
  return named === name.toLowerCase() ? null : `${file}: contains ${name}`;
}

describe('files of the modules', () => {
  it('are named by their class and its role: TasksService in tasks.service.ts, PasswordHasher in password-hasher.ts', () => {
    expect(classes.length).toBeGreaterThan(60);
    expect(classes.map(findFault).filter((fault) => fault !== null)).toEqual([]);
  });

  it.each([
    ['tasks/task-seeder.service.ts', 'TaskSeeder'],
    ['auth/login-attempts.service.ts', 'LoginAttempts'],
    ['tasks/task-store.ts', 'TasksRepository'],
    ['tasks/lists.service.ts', 'TasksService'],
  ])('are not %s for %s', (file, name) => {
    expect(findFault({ file, name })).not.toBeNull();
  });
});
