// Decorators need it, and the commands that load no Nest have nobody else to bring it.
import 'reflect-metadata';
import { Transform, Type } from 'class-transformer';
import {
  ArrayUnique,
  IsBoolean,
  IsIn,
  IsNumber,
  IsOptional,
  Matches,
  Max,
  Min,
  Validate,
  ValidateIf,
} from 'class-validator';
import { MODULES, type ModuleName } from '../contracts/modules.js';
import { IsCountry } from './country-constraint.js';
import { IsOrigin, IsTrustProxy } from './network-constraints.js';
import { toBaseUrl, toBoolean, toCount, toList, toPemList, toTrustProxy } from './parse.js';
import { namesOf, readVariables } from './read-variables.js';
import {
  IsAppKeyList,
  IsBusForModules,
  IsOtherPort,
  IsSecretList,
  IsServerAddress,
  IsSigningKeyList,
  IsVapidPublicKey,
  IsVerificationKeyList,
  IsWorkerCount,
  VAPID_PAIR,
} from './rules.js';
import { SecretSource } from './secrets/secret-source.js';
import { Certificates, HttpUrl, KeyOfCertificate, Milliseconds, Port, Seconds, Whole } from './variable-decorators.js';

export { ConfigurationError } from './read-variables.js';

/** As of OpenTelemetry's specification of environment variables. */
const KEYS_AND_VALUES = /^[^\s=,]+=[^,]*(,\s*[^\s=,]+=[^,]*)*$/;
const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
];

/** Web Push is on with both keys and off with none. */
const wantsPush = ({ VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY }: Environment) =>
  Boolean(VAPID_PUBLIC_KEY || VAPID_PRIVATE_KEY);
const servesAuth = ({ MODULES: served }: Environment) => !Array.isArray(served) || served.includes('auth');
const byTwilio = ({ SMS_DRIVER }: Environment) => SMS_DRIVER === 'twilio';
const byWebhook = ({ SMS_DRIVER }: Environment) => SMS_DRIVER === 'webhook';

/**
 * Every variable the service reads, under the name operators know it by; defaults and meaning stand in
 * `.env.example` (a test holds the two against each other). Injected as it is: `environment.PORT`.
 */
export class Environment {
  @IsIn(['development', 'test', 'production'], { message: 'must be development, test or production' })
  readonly NODE_ENV: 'development' | 'test' | 'production' = 'production';

  @Matches(/^[\w.:-]+$/, { message: 'must be the address to listen on, such as 0.0.0.0 or 127.0.0.1' })
  readonly HOST: string = '0.0.0.0';

  @Port()
  readonly PORT: number = 5000;

  @Port()
  @Validate(IsOtherPort)
  readonly METRICS_PORT: number = 9464;

  @Transform(toCount)
  @Validate(IsWorkerCount)
  readonly WORKERS: number | 'auto' = 1;

  @HttpUrl('must be the public http(s) address')
  @Transform(toBaseUrl)
  readonly PUBLIC_URL!: string;

  @Matches(/^mongodb(\+srv)?:\/\/.+/, { message: 'must be a mongodb:// or mongodb+srv:// address' })
  readonly MONGODB_URI!: string;

  @Whole('a whole number', 1)
  readonly MONGODB_MAX_POOL_SIZE: number = 50;

  @Whole('a whole number', 0)
  readonly MONGODB_MIN_POOL_SIZE: number = 10;

  @IsIn(['primary', 'primaryPreferred', 'secondary', 'secondaryPreferred', 'nearest'], {
    message: 'must be one of primary, primaryPreferred, secondary, secondaryPreferred, nearest',
  })
  readonly MONGODB_READ_PREFERENCE: 'primary' | 'primaryPreferred' | 'secondary' | 'secondaryPreferred' | 'nearest' =
    'primary';

  @Certificates()
  readonly MONGODB_TLS_CA?: string;

  @Certificates()
  readonly MONGODB_TLS_CERT?: string;

  @KeyOfCertificate('MONGODB')
  readonly MONGODB_TLS_KEY?: string;

  @Validate(IsServerAddress, ['REDIS', 'redis'])
  readonly REDIS_URL!: string;

  @Certificates()
  readonly REDIS_TLS_CA?: string;

  @Certificates()
  readonly REDIS_TLS_CERT?: string;

  @KeyOfCertificate('REDIS')
  readonly REDIS_TLS_KEY?: string;

  @Transform(toList)
  @ArrayUnique({ message: 'must name each module once' })
  @IsIn(MODULES, { each: true, message: `must name modules, separated by commas: ${MODULES.join(', ')}` })
  readonly MODULES: ModuleName[] = [...MODULES];

  @Validate(IsBusForModules)
  readonly EVENT_BUS: 'in-process' | 'rabbitmq' = 'in-process';

  @ValidateIf((variables: Environment) => variables.EVENT_BUS === 'rabbitmq')
  @Validate(IsServerAddress, ['RABBITMQ', 'amqp'])
  readonly RABBITMQ_URL?: string;

  @Certificates()
  readonly RABBITMQ_TLS_CA?: string;

  @Certificates()
  readonly RABBITMQ_TLS_CERT?: string;

  @KeyOfCertificate('RABBITMQ')
  readonly RABBITMQ_TLS_KEY?: string;

  // nodemailer prefers what stands in the address.
  @Matches(/^smtps?:\/\/(?!.*[?&]requireTLS=).+/i, {
    message: 'must be an smtp:// or smtps:// address, without requireTLS: that is what SMTP_TLS is for',
  })
  readonly SMTP_URL!: string;

  @IsOptional()
  @IsIn(['required', 'optional'], { message: 'must be required or optional' })
  readonly SMTP_TLS?: 'required' | 'optional';

  @Matches(/.+@.+/, { message: 'must be an address such as: Scalable API <no-reply@your-domain>' })
  readonly MAIL_FROM!: string;

  @ValidateIf(wantsPush)
  @Validate(IsVapidPublicKey)
  readonly VAPID_PUBLIC_KEY?: string;

  @ValidateIf(wantsPush)
  @Matches(/^[\w-]{43}$/, { message: VAPID_PAIR })
  readonly VAPID_PRIVATE_KEY?: string;

  @IsIn(['log', 'twilio', 'webhook'], { message: 'must be log, twilio or webhook' })
  readonly SMS_DRIVER: 'log' | 'twilio' | 'webhook' = 'log';

  @ValidateIf(byTwilio)
  @Matches(/^AC[0-9a-f]{32}$/i, { message: "must be the account's SID, which begins with AC" })
  readonly TWILIO_ACCOUNT_SID!: string;

  @ValidateIf(byTwilio)
  @Matches(/^[!-~]{16,}$/, { message: "must be the account's auth token" })
  readonly TWILIO_AUTH_TOKEN!: string;

  @ValidateIf(byTwilio)
  @Matches(/^(\+[1-9]\d{4,14}|MG[0-9a-f]{32})$/i, {
    message: 'must be the number to send from, such as +436601234567, or the SID of a messaging service (MG…)',
  })
  readonly TWILIO_FROM!: string;

  @Matches(/^https?:\/\/[^\s/?#]+$/, { message: 'must be an address without a path, such as https://api.twilio.com' })
  readonly TWILIO_API_URL: string = 'https://api.twilio.com';

  @ValidateIf(byWebhook)
  @HttpUrl('must be the http(s) address that takes SMS')
  readonly SMS_WEBHOOK_URL!: string;

  @ValidateIf(byWebhook)
  @Matches(/^(whsec_)?[A-Za-z0-9+/]{32,}={0,2}$/, {
    message: 'must be a random secret in base64, of at least 24 bytes; make one with: openssl rand -base64 32',
  })
  readonly SMS_WEBHOOK_SECRET!: string;

  @Transform(toList)
  @Validate(IsCountry, { each: true })
  readonly SMS_COUNTRIES: string[] = [];

  @Whole('a number of SMS', 0)
  readonly QUOTA_SMS_PER_DAY: number = 20;

  @Whole('a number of mails', 0)
  readonly QUOTA_MAILS_PER_DAY: number = 100;

  @Whole('a number of pushes', 0)
  readonly QUOTA_PUSHES_PER_DAY: number = 500;

  @Whole('a number of mails', 1)
  readonly QUOTA_LINK_MAILS_PER_HOUR: number = 3;

  @Whole('a number of SMS', 0)
  readonly QUOTA_ALL_SMS_PER_DAY: number = 1000;

  @Whole('a whole number of percent', 0, 100)
  readonly QUOTA_SMS_CODES_PERCENT: number = 20;

  /** Not needed where `APP_KEYS` is set. */
  @ValidateIf((variables: Environment) => !variables.APP_KEYS || variables.APP_SECRETS !== undefined)
  @Transform(toList)
  @Validate(IsSecretList)
  readonly APP_SECRETS?: string[];

  /** Keys derived from `APP_SECRETS` for single purposes, for a process of a split service. */
  @IsOptional()
  @Transform(toList)
  @Validate(IsAppKeyList)
  readonly APP_KEYS?: string[];

  /** Only processes that serve auth need it. */
  @ValidateIf((variables: Environment) => servesAuth(variables) || variables.JWT_PRIVATE_KEYS !== undefined)
  @Transform(toPemList)
  @Validate(IsSigningKeyList)
  readonly JWT_PRIVATE_KEYS?: string[];

  /** Processes that don't serve auth verify with these. */
  @ValidateIf(
    (variables: Environment) =>
      variables.JWT_PUBLIC_KEYS !== undefined || !(servesAuth(variables) || variables.JWT_PRIVATE_KEYS !== undefined),
  )
  @Transform(toPemList)
  @Validate(IsVerificationKeyList)
  readonly JWT_PUBLIC_KEYS?: string[];

  @IsOptional()
  @Matches(/\S/, { message: 'must not be empty' })
  readonly JWT_ISSUER: string = 'scalable-api';

  @IsOptional()
  @Matches(/\S/, { message: 'must not be empty' })
  readonly JWT_AUDIENCE: string = 'scalable-api';

  @Seconds(1, 3600)
  readonly ACCESS_TOKEN_TTL_SECONDS: number = 900;

  @Seconds(60)
  readonly REFRESH_TOKEN_TTL_SECONDS: number = 2_592_000;

  @Seconds(60)
  readonly SESSION_MAX_AGE_SECONDS: number = 7_776_000;

  @Seconds(0)
  readonly REFRESH_REUSE_GRACE_SECONDS: number = 10;

  @Whole('a number of requests', 1)
  readonly THROTTLE_GENERAL_LIMIT: number = 100;

  @Seconds(1)
  readonly THROTTLE_GENERAL_WINDOW_SECONDS: number = 900;

  @Whole('a number of requests', 1)
  readonly THROTTLE_STRICT_LIMIT: number = 5;

  @Seconds(1)
  readonly THROTTLE_STRICT_WINDOW_SECONDS: number = 60;

  @Whole('a number of failures', 1)
  readonly LOGIN_LOCK_FAILURES: number = 10;

  @Whole('a number of failures', 1)
  readonly LOGIN_ADDRESS_FAILURES: number = 100;

  @Seconds(1)
  readonly LOGIN_LOCK_WINDOW_SECONDS: number = 900;

  @IsOptional()
  @HttpUrl('must be the http(s) address of a range interface of leaked passwords')
  @Transform(toBaseUrl)
  readonly PWNED_PASSWORDS_URL?: string;

  @Transform(toTrustProxy)
  @Validate(IsTrustProxy)
  readonly TRUST_PROXY: boolean | number | string[] = false;

  @Transform(toList)
  @Validate(IsOrigin, { each: true })
  readonly CORS_ORIGINS: string[] = [];

  @Seconds(1)
  readonly REQUEST_TIMEOUT_SECONDS: number = 30;

  @Milliseconds(1)
  readonly MAX_EVENT_LOOP_LAG_MS: number = 1000;

  @Milliseconds(1)
  readonly TRANSACTION_MAX_WAIT_MS: number = 8000;

  @Milliseconds(1)
  readonly PASSWORD_MAX_WAIT_MS: number = 1000;

  @Transform(toBoolean)
  @IsBoolean({ message: 'must be true or false' })
  readonly CACHE_ENABLED: boolean = true;

  @Seconds(1)
  readonly CACHE_TTL_SECONDS: number = 3600;

  @IsOptional()
  @Matches(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, { message: 'must be the name of a bucket' })
  readonly S3_BUCKET?: string;

  @ValidateIf((variables: Environment) => Boolean(variables.S3_BUCKET))
  @Matches(/^[a-z0-9-]+$/, { message: "must be the bucket's region, such as eu-central-1" })
  readonly S3_REGION?: string;

  @IsOptional()
  @HttpUrl('must be the http(s) address of a store that speaks the protocol of S3')
  readonly S3_ENDPOINT?: string;

  @ValidateIf((variables: Environment) => Boolean(variables.S3_SECRET_ACCESS_KEY))
  @Matches(/^[!-~]+$/, { message: 'must be the id of the key in S3_SECRET_ACCESS_KEY' })
  readonly S3_ACCESS_KEY_ID?: string;

  @ValidateIf((variables: Environment) => Boolean(variables.S3_ACCESS_KEY_ID))
  @Matches(/^[!-~]+$/, { message: 'must be the secret of the key that S3_ACCESS_KEY_ID names' })
  readonly S3_SECRET_ACCESS_KEY?: string;

  @ValidateIf((variables: Environment) => !variables.S3_BUCKET)
  @Matches(/\S/, {
    message: 'must be a folder for files that all instances share, where S3_BUCKET names no bucket for them',
  })
  readonly STORAGE_PATH?: string;

  @IsOptional()
  @HttpUrl('must be the http(s) address of the CDN before the files')
  @Transform(toBaseUrl)
  readonly CDN_URL?: string;

  @Whole('a number of bytes', 1)
  readonly QUOTA_FILES_BYTES: number = 1024 ** 3;

  @IsIn(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    message: 'must be one of fatal, error, warn, info, debug, trace, silent',
  })
  readonly LOG_LEVEL: string = 'info';

  @IsOptional()
  @HttpUrl('must be the http(s) address of an OTLP receiver, such as http://collector:4318')
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string;

  @IsOptional()
  @Matches(KEYS_AND_VALUES, { message: 'must be headers as key=value, separated by commas' })
  readonly OTEL_EXPORTER_OTLP_HEADERS?: string;

  @IsIn(['none', 'otlp'], { message: 'must be none or otlp' })
  readonly OTEL_METRICS_EXPORTER: 'none' | 'otlp' = 'none';

  @Matches(/\S/, { message: 'must not be empty' })
  readonly OTEL_SERVICE_NAME: string = 'scalable-api';

  @IsOptional()
  @Matches(KEYS_AND_VALUES, { message: 'must be attributes as key=value, separated by commas' })
  readonly OTEL_RESOURCE_ATTRIBUTES?: string;

  @IsIn(SAMPLERS, { message: `must be one of ${SAMPLERS.join(', ')}` })
  readonly OTEL_TRACES_SAMPLER: string = 'parentbased_always_on';

  @Type(() => Number)
  @IsNumber({}, { message: 'must be a number from 0 to 1' })
  @Min(0)
  @Max(1)
  readonly OTEL_TRACES_SAMPLER_ARG: number = 1;

  @IsOptional()
  @Matches(/^https?:\/\/\w+@[^\s/@]+(\/[^\s/]+)*\/\d+$/, {
    message: "must be the DSN of a project of Sentry's, such as https://key@sentry.your-domain/1",
  })
  readonly SENTRY_DSN?: string;

  @Seconds(0)
  readonly SHUTDOWN_DRAIN_SECONDS: number = 5;
}

/** All of them, for whoever has to know (a test holds `.env.example` against it). */
export const ENVIRONMENT_NAMES: readonly string[] = [...namesOf(Environment), ...namesOf(SecretSource)];

/**
 * Reads and checks the environment. `NAME_FILE` gives a variable as the content of a file (trailing white space
 * removed); an empty variable counts as unset, so that a default applies.
 *
 * @throws ConfigurationError naming each wrong variable and its mend
 */
export function readEnvironment(source: NodeJS.ProcessEnv): Environment {
  return readVariables(Environment, source);
}
