import { Controller, Get, Header, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Public } from '../../common/auth/principal.js';
import { SigningKeys } from '../../platform/authentication/signing-keys.js';
import { SeparateRateLimit } from '../../platform/throttling/rate-limit.guard.js';
import { JwksResponseDto } from './dto/jwks-response.dto.js';

@ApiTags('Auth')
@Controller({ path: '.well-known/jwks.json', version: VERSION_NEUTRAL })
export class JwksController {
  constructor(private readonly keys: SigningKeys) {}

  /**
   * Get the public keys that verify access tokens.
   *
   * @remarks A JSON Web Key Set (RFC 7517), for services that verify access tokens themselves. The answer may be cached
   * for five minutes. It has a rate limit of its own.
   */
  @Public()
  @SeparateRateLimit()
  @Header('Cache-Control', 'public, max-age=300')
  @Get()
  getJwks(): JwksResponseDto {
    return this.keys.toJwks();
  }
}
