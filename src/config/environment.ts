import { AuthEnvironment } from './areas/auth.environment.js';
import { DatabaseEnvironment } from './areas/database.environment.js';
import { FilesEnvironment } from './areas/files.environment.js';
import { HttpEnvironment } from './areas/http.environment.js';
import { KeysEnvironment } from './areas/keys.environment.js';
import { MailEnvironment } from './areas/mail.environment.js';
import { MessagingEnvironment } from './areas/messaging.environment.js';
import { ObservabilityEnvironment } from './areas/observability.environment.js';
import { ProcessEnvironment } from './areas/process.environment.js';
import { PushEnvironment } from './areas/push.environment.js';
import { QuotasEnvironment } from './areas/quotas.environment.js';
import { RedisEnvironment } from './areas/redis.environment.js';
import { SmsEnvironment } from './areas/sms.environment.js';
import { ThrottlingEnvironment } from './areas/throttling.environment.js';
import { namesOf, readVariables } from './read-variables.js';
import { SecretSource } from './secrets/secret-source.js';

export { ConfigurationError } from './read-variables.js';

/** One class for each area of variables; a provider is given those of the areas that it names in its constructor. */
export const AREAS = [
  ProcessEnvironment,
  HttpEnvironment,
  DatabaseEnvironment,
  RedisEnvironment,
  MessagingEnvironment,
  MailEnvironment,
  PushEnvironment,
  SmsEnvironment,
  QuotasEnvironment,
  KeysEnvironment,
  AuthEnvironment,
  ThrottlingEnvironment,
  FilesEnvironment,
  ObservabilityEnvironment,
] as const;

/** What is all of these at once. */
type AllOf<Types> = (Types extends unknown ? (each: Types) => void : never) extends (all: infer All) => void
  ? All
  : never;

/**
 * Every variable that the service reads, under the name that operators know it by; defaults and meaning are in `.env.example`
 * (a test compares the two).
 */
export type Environment = AllOf<InstanceType<(typeof AREAS)[number]>>;

/** The names of all of them, and of those that say where secrets are. */
export const ENVIRONMENT_NAMES: readonly string[] = [...AREAS, SecretSource].flatMap((area) => namesOf(area));

/**
 * Reads and checks the environment. `NAME_FILE` gives a variable as the content of a file (trailing white space
 * removed); an empty variable counts as unset, so that a default applies.
 *
 * @throws ConfigurationError naming each wrong variable and what it must be
 */
export function readEnvironment(source: NodeJS.ProcessEnv): Environment {
  return readVariables<object>(AREAS, source) as Environment;
}

/** @returns the variables of one area */
export function areaOf<T extends object>(area: new () => T, environment: Environment): T {
  const variables = environment as unknown as Record<string, unknown>;
  return Object.assign(new area(), Object.fromEntries(namesOf(area).map((name) => [name, variables[name]])));
}
