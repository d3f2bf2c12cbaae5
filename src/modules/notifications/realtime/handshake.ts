import { Injectable } from '@nestjs/common';
import { AccessTokenVerifier } from '../../../platform/authentication/access-token-verifier.js';
import type { IssuedToken } from '../../../platform/revocation/known-endings.js';
import { parseAuthMessage } from './auth-message.js';
import { CLOSE } from './close-codes.js';

export interface Refusal {
  code: number;
  reason: string;
}

export interface Admission {
  subject: IssuedToken;
  /** When the token expires, in seconds since the epoch. */
  expiresAt: number;
  since: number | null;
}

/** Decides on a client's first message. */
@Injectable()
export class Handshake {
  constructor(private readonly tokens: AccessTokenVerifier) {}

  /** Whether the session goes on is asked later, once the connection would hear of its end. */
  read(data: Buffer, isBinary: boolean): Admission | Refusal {
    if (isBinary) return { code: CLOSE.BINARY, reason: 'messages are text' };
    const message = parseAuthMessage(data.toString());
    if (message === null) {
      return { code: CLOSE.UNAUTHENTICATED, reason: 'the first message must be {"type":"auth","token":"..."}' };
    }
    if (message === 'invalid since') {
      return { code: CLOSE.UNEXPECTED_MESSAGE, reason: 'since must be an RFC 3339 time' };
    }
    const claims = this.tokens.verify(message.token);
    if (typeof claims === 'string') return { code: CLOSE.UNAUTHENTICATED, reason: 'the access token is not valid' };
    const subject = { userId: claims.sub, sessionId: claims.sid, issuedAt: claims.iat };
    return { subject, expiresAt: claims.exp, since: message.since };
  }
}
