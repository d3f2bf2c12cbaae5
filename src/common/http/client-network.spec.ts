import { networkOf } from './client-network.js';

describe('the network of a client', () => {
  it.each([
    ['an IPv4 address and its IPv6 form', '192.0.2.7', '::ffff:192.0.2.7'],
    ['both ways to write that form', '::ffff:192.0.2.7', '::ffff:c000:207'],
    ['addresses of one /56', '2001:db8:1:200::1', '2001:db8:1:2ff:ffff:ffff:ffff:ffff'],
    ['short and long spelling', '2001:db8::1', '2001:0DB8:0000:0000:0000:0000:0000:0001'],
    ['a scope', 'fe80::1%eth0', 'fe80::2'],
    ['all that is not an address', 'unknown', '_hidden'],
  ])('is the same for %s', (_, one, other) => {
    expect(networkOf(one)).toBe(networkOf(other));
  });

  it.each([
    ['IPv4 addresses', '192.0.2.7', '192.0.2.8'],
    ['mapped addresses', '::ffff:192.0.2.7', '::ffff:192.0.2.8'],
    ['neighbouring /56s', '2001:db8:1:2ff::1', '2001:db8:1:300::1'],
  ])('is another one for different %s', (_, one, other) => {
    expect(networkOf(one)).not.toBe(networkOf(other));
  });
});
