import { Transform } from 'class-transformer';
import { Matches, Validate } from 'class-validator';
import { IsOrigin, IsTrustProxy } from '../network-constraints.js';
import { toBaseUrl, toList, toTrustProxy } from '../parse.js';
import { IsOtherPort } from '../rules.js';
import { HttpUrl, Milliseconds, Port, Seconds } from '../variable-decorators.js';

/** The HTTP server, and the addresses that clients reach it at. */
export class HttpEnvironment {
  @Matches(/^[\w.:-]+$/, { message: 'must be the address to listen on, such as 0.0.0.0 or 127.0.0.1' })
  readonly HOST: string = '0.0.0.0';

  @Port()
  readonly PORT: number = 5000;

  @Port()
  @Validate(IsOtherPort)
  readonly METRICS_PORT: number = 9464;

  @HttpUrl('must be the public http(s) address')
  @Transform(toBaseUrl)
  readonly PUBLIC_URL!: string;

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
}
