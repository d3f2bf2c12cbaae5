import type { IncomingMessage } from 'node:http';
import proxyAddr from '@fastify/proxy-addr';
import type { HttpEnvironment } from '../../config/areas/http.environment.js';
import { normaliseForwardedHeaders } from './forwarded-for.js';
import { trustedProxies } from './trusted-proxies.js';

/** The address of a client whose request Fastify doesn't see (an upgrade), by the same rules as `request.ip`. */
export class ClientAddresses {
  private readonly trusts: (address: string, hop: number) => boolean;

  constructor(trustProxy: HttpEnvironment['TRUST_PROXY']) {
    const trusted = trustedProxies(trustProxy);
    if (typeof trusted === 'function') this.trusts = trusted;
    else if (Array.isArray(trusted)) this.trusts = proxyAddr.compile(trusted);
    else this.trusts = () => trusted === true;
  }

  of(request: IncomingMessage): string {
    normaliseForwardedHeaders(request.headers);
    return proxyAddr(request, this.trusts);
  }
}
