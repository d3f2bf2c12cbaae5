import { Transform } from 'class-transformer';
import { IsBoolean, Validate } from 'class-validator';
import { toBoolean } from '../parse.js';
import { IsServerAddress } from '../rules.js';
import { Certificates, KeyOfCertificate, Seconds } from '../variable-decorators.js';

/** Redis, and the response cache in it. */
export class RedisEnvironment {
  @Validate(IsServerAddress, ['REDIS', 'redis'])
  readonly REDIS_URL!: string;

  @Certificates()
  readonly REDIS_TLS_CA?: string;

  @Certificates()
  readonly REDIS_TLS_CERT?: string;

  @KeyOfCertificate('REDIS')
  readonly REDIS_TLS_KEY?: string;

  @Transform(toBoolean)
  @IsBoolean({ message: 'must be true or false' })
  readonly CACHE_ENABLED: boolean = true;

  @Seconds(1)
  readonly CACHE_TTL_SECONDS: number = 3600;
}
