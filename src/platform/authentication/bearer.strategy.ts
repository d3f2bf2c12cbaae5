import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { Strategy } from 'passport';
import type { Principal } from '../../common/auth/principal.js';
import {
  AccountSuspendedError,
  BadAccessTokenError,
  type ProblemError,
  UnauthenticatedError,
} from '../../common/errors/problem.js';
import type { IssuedKey, IssuedToken } from '../revocation/known-endings.js';
import { Revocations } from '../revocation/revocations.js';
import { AccessTokenVerifier } from './access-token-verifier.js';
import { ApiKeys } from './api-keys.js';

/** Why a request has no principal. */
export interface Rejection {
  error: ProblemError;
  /** The request had a token or key, which isn't accepted; with its session, if it is a token of ours. */
  token?: { sessionId?: string };
}

type Verification = Principal | [false, Rejection];
type Done = (error: unknown, principal?: Principal | false, rejection?: Rejection) => void;

const BEARER = /^Bearer +(\S+)$/i;
const API_KEY = /^sak_/;

/**
 * Takes the credential from the `Authorization` header (RFC 6750, 2.1) and from nowhere else: in a URL or a body, as
 * Passport's own bearer strategy accepts it, it would reach logs.
 */
class BearerCredential extends Strategy {
  constructor(private readonly verify: (credential: string, done: Done) => void) {
    super();
  }

  override authenticate({ headers: { authorization = '' } }: Pick<FastifyRequest, 'headers'>): void {
    const [, credential] = BEARER.exec(authorization) ?? [];
    if (credential === undefined) {
      const error = /^Bearer\b/i.test(authorization) ? new BadAccessTokenError() : new UnauthenticatedError();
      this.fail({ error } satisfies Rejection);
      return;
    }
    this.verify(credential, (error, principal, rejection) => {
      if (error) this.error(error);
      else if (principal) this.success(principal);
      else this.fail(rejection);
    });
  }
}

/**
 * Passport's strategy for access tokens and API keys. The result is a principal whose role is the current one, or a
 * rejection.
 */
@Injectable()
export class BearerStrategy extends PassportStrategy(BearerCredential, 'bearer') {
  constructor(
    private readonly accessTokens: AccessTokenVerifier,
    private readonly apiKeys: ApiKeys,
    private readonly revocations: Revocations,
  ) {
    super();
  }

  /** @throws DatabaseUnreachableError where an API key or a revocation can't be looked up */
  async validate(credential: string): Promise<Verification> {
    if (API_KEY.test(credential)) {
      const principal = await this.apiKeys.verify(credential);
      if (!principal) return [false, { error: new BadAccessTokenError(), token: {} }];
      return await this.withCurrentRole(principal, { userId: principal.userId, apiKeyId: principal.apiKey.id });
    }
    const claims = this.accessTokens.verify(credential);
    if (claims === 'invalid') return [false, { error: new BadAccessTokenError(), token: {} }];
    if (claims === 'expired') {
      // The signature is valid; the token has expired.
      const sessionId = this.accessTokens.sessionIdOf(credential);
      return [false, { error: new BadAccessTokenError('TOKEN_EXPIRED'), token: { sessionId } }];
    }
    const { sub: userId, sid: sessionId, role, iat: issuedAt } = claims;
    return await this.withCurrentRole({ userId, sessionId, role }, { userId, sessionId, issuedAt });
  }

  private async withCurrentRole(principal: Principal, issued: IssuedToken | IssuedKey): Promise<Verification> {
    const { userId, role } = principal;
    if (!(await this.revocations.isRevoked(issued))) {
      return { ...principal, role: this.revocations.effectiveRole(userId, role) };
    }
    const error = this.revocations.isSuspended(userId) ? new AccountSuspendedError() : new BadAccessTokenError();
    return [false, { error, token: 'sessionId' in issued ? { sessionId: issued.sessionId } : {} }];
  }
}
