import { Global, Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { MigrationsModule } from '../migrations/migrations.module.js';
import { RevocationModule } from '../revocation/revocation.module.js';
import { AccessListener } from './access.listener.js';
import { AccessTokenVerifier } from './access-token-verifier.js';
import { ApiKey, ApiKeySchema } from './api-key.schema.js';
import { ApiKeys } from './api-keys.js';
import { BearerStrategy } from './bearer.strategy.js';
import { NewestTokens } from './newest-tokens.js';
import { API_KEY_MIGRATIONS } from './migrations/api-keys-expire.js';
import { SigningKeys } from './signing-keys.js';

/** Every process authenticates requests by itself, without a call to the auth module. */
@Global()
@Module({
  imports: [
    RevocationModule,
    MongooseModule.forFeature([{ name: ApiKey.name, schema: ApiKeySchema }]),
    MigrationsModule.forFeature('authentication', API_KEY_MIGRATIONS),
  ],
  providers: [SigningKeys, AccessListener, AccessTokenVerifier, ApiKeys, BearerStrategy, NewestTokens],
  exports: [SigningKeys, AccessTokenVerifier, ApiKeys, NewestTokens],
})
export class AuthenticationModule {}
