import { Injectable, Logger } from '@nestjs/common';
import { NewestTokens } from '../../../platform/authentication/newest-tokens.js';
import { databaseNow } from '../../../platform/database/database-clock.js';
import { CLOSE } from './close-codes.js';
import type { LiveConnection } from './live-connection.js';

/** Ends connections whose access token has expired, unless their session has been refreshed since. */
@Injectable()
export class TokenExpiryWatch {
  private readonly logger = new Logger(TokenExpiryWatch.name);

  constructor(private readonly newestTokens: NewestTokens) {}

  /**
   * Watches a connection until it closes.
   *
   * @param expiresAt of its token, in seconds since the epoch
   */
  watch(connection: LiveConnection, expiresAt: number): void {
    let timer: NodeJS.Timeout;
    const check = async (expiry: number) => {
      const newest = await this.newestExpiry(connection);
      if (newest !== null && newest <= expiry) connection.close(CLOSE.UNAUTHENTICATED, 'the access token has expired');
      else if (newest !== null && connection.isOpen) checkAt(newest);
    };
    const checkAt = (expiry: number) => {
      timer = setTimeout(() => void check(expiry), expiry * 1000 - databaseNow());
    };
    connection.onClose(() => clearTimeout(timer));
    checkAt(expiresAt);
  }

  /** @returns null if Redis can't tell: the connection is then closed, since its token might be a stolen one */
  private async newestExpiry(connection: LiveConnection): Promise<number | null> {
    try {
      return await this.newestTokens.expiryOf(connection.subject.sessionId);
    } catch (error) {
      this.logger.warn({ err: error }, 'Redis cannot say whether a session of a WebSocket has been refreshed');
      connection.close(CLOSE.TRY_AGAIN_LATER, 'connect again with the newest token');
      return null;
    }
  }
}
