import { IsIn, Matches } from 'class-validator';
import { Certificates, KeyOfCertificate, Milliseconds, Whole } from '../variable-decorators.js';

/** MongoDB, and how long a transaction may wait. */
export class DatabaseEnvironment {
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

  @Milliseconds(1)
  readonly TRANSACTION_MAX_WAIT_MS: number = 8000;
}
