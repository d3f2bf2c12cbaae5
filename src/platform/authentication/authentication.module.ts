import { Global, Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { RevocationModule } from '../revocation/revocation.module.js';
import { AccessListener } from './access.listener.js';
import { AccessTokenVerifier } from './access-token-verifier.js';
import { ApiKey, ApiKeySchema } from './api-key.schema.js';
import { ApiKeys } from './api-keys.js';
import { NewestTokens } from './newest-tokens.js';
import { SigningKeys } from './signing-keys.js';

/** Every process can tell who is asking by itself, without a call to the auth module. */
@Global()
@Module({
  imports: [RevocationModule, MongooseModule.forFeature([{ name: ApiKey.name, schema: ApiKeySchema }])],
  providers: [SigningKeys, AccessListener, AccessTokenVerifier, ApiKeys, NewestTokens],
  exports: [SigningKeys, AccessTokenVerifier, ApiKeys, NewestTokens],
})
export class AuthenticationModule {}
