import { readFileSync } from 'node:fs';
import { createPrivateKey } from 'node:crypto';
import { plainToInstance, Transform, Type } from 'class-transformer';
import {
  getMetadataStorage,
  IsBoolean,
  IsDefined,
  IsIn,
  IsInt,
  IsOptional,
  IsUrl,
  Matches,
  Max,
  Min,
  Validate,
  ValidatorConstraint,
  type ValidatorConstraintInterface,
  validateSync,
} from 'class-validator';

const toList = ({ value }: { value: unknown }) =>
  typeof value === 'string'
    ? value
        .split(',')
        .map((item) => item.trim())
        .filter(Boolean)
    : value;
const toBoolean = ({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value);
const toPemList = ({ value }: { value: unknown }) =>
  typeof value === 'string'
    ? (value.replaceAll('\\n', '\n').match(/-----BEGIN [A-Z ]+-----[\s\S]+?-----END [A-Z ]+-----/g) ?? [])
    : value;
const toTrustProxy = ({ value }: { value: unknown }) => {
  if (value === 'true' || value === 'false') return value === 'true';
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : toList({ value });
};

const MIN_SECRET_LENGTH = 32;
const MIN_SECRET_DISTINCT_CHARACTERS = 12;
const PLACEHOLDER = /change.?me|placeholder|example|your.?secret|dummy|default/i;

@ValidatorConstraint({ name: 'isSecretList' })
class IsSecretList implements ValidatorConstraintInterface {
  validate(secrets: unknown): boolean {
    return (
      Array.isArray(secrets) &&
      secrets.length > 0 &&
      secrets.every(
        (secret: string) =>
          secret.length >= MIN_SECRET_LENGTH &&
          new Set(secret).size >= MIN_SECRET_DISTINCT_CHARACTERS &&
          !PLACEHOLDER.test(secret),
      )
    );
  }

  defaultMessage(): string {
    return `must hold one or more random secrets of at least ${MIN_SECRET_LENGTH} characters, separated by commas; make one with: openssl rand -base64 48`;
  }
}

@ValidatorConstraint({ name: 'isSigningKeyList' })
class IsSigningKeyList implements ValidatorConstraintInterface {
  validate(pems: unknown): boolean {
    if (!Array.isArray(pems) || pems.length === 0) return false;
    return pems.every((pem: string) => {
      try {
        const key = createPrivateKey(pem);
        return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
      } catch {
        return false;
      }
    });
  }

  defaultMessage(): string {
    return 'must hold one or more EC P-256 private keys as PEM; make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256';
  }
}

/**
 * Every variable the service reads, under the name operators know it by; defaults and meaning stand in
 * `.env.example` (a test holds the two against each other). Injected as it is: `environment.PORT`.
 */
export class Environment {
  @IsIn(['development', 'test', 'production'], { message: 'must be development, test or production' })
  readonly NODE_ENV: 'development' | 'test' | 'production' = 'production';

  @Matches(/^[\w.:-]+$/, { message: 'must be the address to listen on, such as 0.0.0.0 or 127.0.0.1' })
  readonly HOST: string = '0.0.0.0';

  @Type(() => Number)
  @IsInt({ message: 'must be a port number' })
  @Min(0)
  @Max(65535)
  readonly PORT: number = 5000;

  @Type(() => Number)
  @IsInt({ message: 'must be a port number' })
  @Min(0)
  @Max(65535)
  readonly METRICS_PORT: number = 9464;

  @IsUrl({ require_tld: false, protocols: ['http', 'https'] }, { message: 'must be the public http(s) address' })
  readonly PUBLIC_URL!: string;

  @Matches(/^mongodb(\+srv)?:\/\/.+/, { message: 'must be a mongodb:// or mongodb+srv:// address' })
  readonly MONGODB_URI!: string;

  @Type(() => Number)
  @IsInt({ message: 'must be a whole number' })
  @Min(1)
  readonly MONGODB_MAX_POOL_SIZE: number = 50;

  @Type(() => Number)
  @IsInt({ message: 'must be a whole number' })
  @Min(0)
  readonly MONGODB_MIN_POOL_SIZE: number = 10;

  @Matches(/^rediss?:\/\/.+/, { message: 'must be a redis:// or rediss:// address' })
  readonly REDIS_URL!: string;

  @Matches(/^smtps?:\/\/.+/, { message: 'must be an smtp:// or smtps:// address' })
  readonly SMTP_URL!: string;

  @Matches(/.+@.+/, { message: 'must be an address such as: Scalable API <no-reply@your-domain>' })
  readonly MAIL_FROM!: string;

  @Transform(toList)
  @Validate(IsSecretList)
  readonly APP_SECRETS!: string[];

  @Transform(toPemList)
  @Validate(IsSigningKeyList)
  readonly JWT_PRIVATE_KEYS!: string[];

  @IsOptional()
  @Matches(/\S/, { message: 'must not be empty' })
  readonly JWT_ISSUER: string = 'scalable-api';

  @IsOptional()
  @Matches(/\S/, { message: 'must not be empty' })
  readonly JWT_AUDIENCE: string = 'scalable-api';

  @Type(() => Number)
  @IsInt({ message: 'must be a number of seconds' })
  @Min(1)
  readonly ACCESS_TOKEN_TTL_SECONDS: number = 900;

  @Type(() => Number)
  @IsInt({ message: 'must be a number of seconds' })
  @Min(60)
  readonly REFRESH_TOKEN_TTL_SECONDS: number = 2_592_000;

  @Type(() => Number)
  @IsInt({ message: 'must be a number of seconds' })
  @Min(0)
  readonly REFRESH_REUSE_GRACE_SECONDS: number = 10;

  @Type(() => Number)
  @IsInt({ message: 'must be a number of requests' })
  @Min(1)
  readonly THROTTLE_GENERAL_LIMIT: number = 100;

  @Type(() => Number)
  @IsInt({ message: 'must be a number of seconds' })
  @Min(1)
  readonly THROTTLE_GENERAL_WINDOW_SECONDS: number = 900;

  @Type(() => Number)
  @IsInt({ message: 'must be a number of requests' })
  @Min(1)
  readonly THROTTLE_STRICT_LIMIT: number = 5;

  @Type(() => Number)
  @IsInt({ message: 'must be a number of seconds' })
  @Min(1)
  readonly THROTTLE_STRICT_WINDOW_SECONDS: number = 60;

  @Transform(toTrustProxy)
  @IsDefined()
  readonly TRUST_PROXY: boolean | number | string[] = false;

  @Transform(toList)
  @Matches(/^(\*|https?:\/\/[^/]+)$/, { each: true, message: 'must hold origins such as https://app.your-domain' })
  readonly CORS_ORIGINS: string[] = [];

  @Transform(toBoolean)
  @IsBoolean({ message: 'must be true or false' })
  readonly CACHE_ENABLED: boolean = true;

  @Type(() => Number)
  @IsInt({ message: 'must be a number of seconds' })
  @Min(1)
  readonly CACHE_TTL_SECONDS: number = 3600;

  @IsIn(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    message: 'must be one of fatal, error, warn, info, debug, trace, silent',
  })
  readonly LOG_LEVEL: string = 'info';

  @Type(() => Number)
  @IsInt({ message: 'must be a number of seconds' })
  @Min(0)
  readonly SHUTDOWN_DRAIN_SECONDS: number = 5;
}

/** All of them, for whoever has to know (a test holds `.env.example` against it). */
export const ENVIRONMENT_NAMES: readonly string[] = [
  ...new Set(
    getMetadataStorage()
      .getTargetValidationMetadatas(Environment, '', true, false)
      .map(({ propertyName }) => propertyName),
  ),
];

/** A configuration the service can't run with; `message` has one sentence a variable and never a value. */
export class ConfigurationError extends Error {}

/**
 * Reads and checks the environment. `NAME_FILE` gives a variable as the content of a file (trailing white space
 * removed); an empty variable counts as unset, so that a default applies.
 *
 * @throws ConfigurationError naming each wrong variable and its mend
 */
export function readEnvironment(source: NodeJS.ProcessEnv): Environment {
  const values: Record<string, string> = {};
  for (const name of ENVIRONMENT_NAMES) {
    const value = source[name] || readFile(`${name}_FILE`, source[`${name}_FILE`]);
    if (value) values[name] = value;
  }
  const environment = plainToInstance(Environment, values, { exposeDefaultValues: true });
  const problems = validateSync(environment, { stopAtFirstError: true }).map(({ property, constraints, value }) => {
    const missing = value === undefined ? 'is missing: it ' : '';
    return `${property} ${missing}${Object.values(constraints ?? {})[0] ?? 'is not valid'}.`;
  });
  if (problems.length > 0) throw new ConfigurationError(problems.join('\n'));
  return environment;
}

function readFile(name: string, path: string | undefined): string | undefined {
  if (!path) return undefined;
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch {
    throw new ConfigurationError(`${name} names a file that can't be read: check its path and permissions.`);
  }
}
