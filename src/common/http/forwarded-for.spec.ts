import { jest } from '@jest/globals';
import { fastify } from 'fastify';
import ipaddr from 'ipaddr.js';
import { normaliseClientAddresses, normaliseForwardedFor } from './forwarded-for.js';
import { trustedProxies } from './trusted-proxies.js';

describe('an entry of X-Forwarded-For', () => {
  it.each([
    ['an IPv4 address', '192.0.2.7', '192.0.2.7'],
    ['an IPv4 address with a port', '192.0.2.7:4711', '192.0.2.7'],
    ['an IPv4 address with an empty port', '192.0.2.7:', '192.0.2.7'],
    ['an IPv6 address', '2001:db8::7', '2001:db8::7'],
    ['an IPv6 address in brackets', '[2001:db8::7]', '2001:db8::7'],
    ['an IPv6 address in brackets with a port', '[2001:db8::7]:4711', '2001:db8::7'],
    ['an IPv6 address that holds an IPv4 one, with a port', '[::ffff:192.0.2.7]:4711', '192.0.2.7'],
    ['an IPv6 address with a zone', '[fe80::1%eth0]:4711', 'fe80::1%eth0'],
    ['a quoted address', '"[2001:db8::7]:4711"', '2001:db8::7'],
    ['an obfuscated one', '_hidden', 'unknown'],
    ['a name with a port', 'unknown:4711', 'unknown'],
    ['an IPv4 address with two ports', '192.0.2.7:1:2', 'unknown'],
    ['what is longer than any address', `fe80::1%${'0'.repeat(100)}`, 'unknown'],
  ])('becomes a bare address: %s', (_, entry, address) => {
    expect(normaliseForwardedFor(entry)).toBe(address);
  });

  it('keeps its place; empty ones are left out', () => {
    expect(normaliseForwardedFor(' , _hidden,192.0.2.7:1 ,, [2001:db8::7]:2, ')).toBe(
      'unknown, 192.0.2.7, 2001:db8::7',
    );
    expect(normaliseForwardedFor(' , ')).toBe('');
  });

  it('is left out where a client has put more in front than any proxies would add', () => {
    const isValid = jest.spyOn(ipaddr, 'isValid');
    const normalised = normaliseForwardedFor(`${'x,'.repeat(7000)}198.51.100.7:40001, 10.0.0.2`).split(', ');
    expect(normalised.slice(-3)).toEqual(['unknown', '198.51.100.7', '10.0.0.2']);
    expect(normalised).toHaveLength(32);
    expect(isValid.mock.calls.length).toBeLessThanOrEqual(32);
    isValid.mockRestore();
  });
});

describe('the address of a client behind proxies that write ports', () => {
  it.each<[string, Parameters<typeof trustedProxies>[0]]>([
    ['by number', 2],
    ['by network', ['10.0.0.0/8', 'fd00::/8']],
  ])('is found where they are trusted %s', async (_, trusted) => {
    const server = fastify({ trustProxy: trustedProxies(trusted) });
    normaliseClientAddresses(server);
    server.get('/', (request) => ({ ip: request.ip }));
    const addressSeen = async (forwardedFor: string) => {
      const headers = { 'x-forwarded-for': forwardedFor };
      const response = await server.inject({ url: '/', remoteAddress: '10.0.0.1', headers });
      return response.json<{ ip: string }>().ip;
    };
    expect(await addressSeen('1.2.3.4, 198.51.100.7:40001, 10.0.0.2:40002')).toBe('198.51.100.7');
    expect(await addressSeen('1.2.3.4, [2001:db8::7]:40001, [fd00::2]:40002')).toBe('2001:db8::7');
    expect(await addressSeen(`${'x,'.repeat(7000)}198.51.100.7:40001, 10.0.0.2:40002`)).toBe('198.51.100.7');
    expect(await addressSeen(', ,')).toBe('10.0.0.1');
  });
});
