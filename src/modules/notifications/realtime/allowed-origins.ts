import { Injectable } from '@nestjs/common';
import { HttpEnvironment } from '../../../config/areas/http.environment.js';

/**
 * Which pages may open a WebSocket. CORS doesn't apply to WebSockets, so the server compares `Origin` itself (RFC 6455,
 * 10.2). Clients that aren't browsers send none.
 */
@Injectable()
export class AllowedOrigins {
  private readonly origins: Set<string>;

  constructor({ PUBLIC_URL, CORS_ORIGINS }: HttpEnvironment) {
    this.origins = new Set([new URL(PUBLIC_URL).origin, ...CORS_ORIGINS]);
  }

  has(origin: string | undefined): boolean {
    return origin === undefined || this.origins.has('*') || this.origins.has(origin);
  }
}
