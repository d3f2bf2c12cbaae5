import { fastify } from 'fastify';
import { trustedProxies } from './trusted-proxies.js';

/** Which client address the server sees when called from `remoteAddress`. */
async function addressSeen(
  trusted: Parameters<typeof trustedProxies>[0],
  remoteAddress: string,
  forwardedFor: string,
): Promise<string> {
  const server = fastify({ trustProxy: trustedProxies(trusted) });
  server.get('/', (request) => ({ ip: request.ip }));
  const response = await server.inject({ url: '/', remoteAddress, headers: { 'x-forwarded-for': forwardedFor } });
  return response.json<{ ip: string }>().ip;
}

describe('trustedProxies', () => {
  it('trusts no proxy by default', async () => {
    expect(await addressSeen(false, '198.51.100.7', '203.0.113.1')).toBe('198.51.100.7');
    expect(await addressSeen(0, '198.51.100.7', '203.0.113.1')).toBe('198.51.100.7');
  });

  it('takes what the one proxy appended, not what the client wrote before it', async () => {
    expect(await addressSeen(1, '10.0.0.1', '198.51.100.7')).toBe('198.51.100.7');
    expect(await addressSeen(1, '10.0.0.1', '1.2.3.4, 5.6.7.8, 198.51.100.7')).toBe('198.51.100.7');
  });

  it('goes back as many hops as there are proxies', async () => {
    expect(await addressSeen(2, '10.0.0.1', '1.2.3.4, 198.51.100.7, 10.0.0.2')).toBe('198.51.100.7');
    expect(await addressSeen(2, '10.0.0.1', '198.51.100.7')).toBe('198.51.100.7');
  });

  it('believes listed addresses only', async () => {
    expect(await addressSeen(['10.0.0.0/8'], '10.0.0.1', '1.2.3.4, 198.51.100.7, 10.9.9.9')).toBe('198.51.100.7');
    expect(await addressSeen(['10.0.0.0/8', 'fd00::/8'], '198.51.100.7', '203.0.113.1')).toBe('198.51.100.7');
    expect(await addressSeen(['loopback'], '127.0.0.1', '203.0.113.1')).toBe('203.0.113.1');
  });
});
