import { Transform } from 'class-transformer';
import { IsOptional, Matches } from 'class-validator';
import { toBaseUrl } from '../parse.js';
import { HttpUrl, Milliseconds, Seconds, Whole } from '../variable-decorators.js';

/** Access tokens, sessions, and log-ins. */
export class AuthEnvironment {
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

  @Whole('a number of failures', 1)
  readonly LOGIN_LOCK_FAILURES: number = 10;

  @Whole('a number of failures', 1)
  readonly LOGIN_ADDRESS_FAILURES: number = 100;

  @Seconds(1)
  readonly LOGIN_LOCK_WINDOW_SECONDS: number = 900;

  @Milliseconds(1)
  readonly PASSWORD_MAX_WAIT_MS: number = 1000;

  @IsOptional()
  @HttpUrl('must be the http(s) address of a range interface of leaked passwords')
  @Transform(toBaseUrl)
  readonly PWNED_PASSWORDS_URL?: string;
}
