import { Injectable } from '@nestjs/common';
import type { SessionPrincipal } from '../../common/auth/principal.js';
import type { Client } from '../../common/http/client.js';
import { assertMatches, NO_ETAG, type Precondition } from '../../common/http/etag.js';
import { Transactions } from '../../platform/database/transactions.js';
import { AuditService } from './audit.service.js';
import { SessionNotFoundError } from './auth.errors.js';
import { SessionsService } from './sessions.service.js';

/** Sessions that their owner ends. */
@Injectable()
export class LogoutService {
  constructor(
    private readonly sessions: SessionsService,
    private readonly transactions: Transactions,
    private readonly audit: AuditService,
  ) {}

  /** @throws SessionNotFoundError */
  async end(userId: string, sessionId: string, client: Client, precondition: Precondition = 'any'): Promise<void> {
    await this.transactions.run(async (tx) => {
      await this.sessions.end(userId, sessionId, tx);
      assertMatches(precondition, NO_ETAG);
      await this.audit.record('session.ended', { actorId: userId, client, details: { sessionId } }, tx);
    });
  }

  /** Ends the session of the request; one that a parallel request has just ended is no error. */
  async endCurrent({ userId, sessionId }: SessionPrincipal, client: Client): Promise<void> {
    await this.end(userId, sessionId, client).catch((error: unknown) => {
      if (!(error instanceof SessionNotFoundError)) throw error;
    });
  }

  async endAll(userId: string, client: Client): Promise<void> {
    await this.transactions.run(async (tx) => {
      await this.sessions.endAll(userId, tx);
      await this.audit.record('sessions.ended', { actorId: userId, client }, tx);
    });
  }
}
