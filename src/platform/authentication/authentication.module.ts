import { Global, Module } from '@nestjs/common';
import { PassportModule } from '@nestjs/passport';
import { RevocationModule } from '../revocation/revocation.module.js';
import { AccessTokenStrategy } from './access-token.strategy.js';
import { SigningKeys } from './signing-keys.js';

/** Every process can tell who is asking by itself: no call to the auth module, no I/O. */
@Global()
@Module({
  imports: [PassportModule, RevocationModule],
  providers: [SigningKeys, AccessTokenStrategy],
  exports: [SigningKeys],
})
export class AuthenticationModule {}
