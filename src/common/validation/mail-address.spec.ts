import fc from 'fast-check';
import { canonicalAddress, canonicalFormOf } from './mail-address.js';

describe('the canonical spelling of a mail address', () => {
  it.each([
    ['ada@example.org', 'ada@example.org'],
    ['ADA.Lovelace+tasks@Example.ORG', 'ada.lovelace+tasks@example.org'],
    ['ada@exam\u00adple.org', 'ada@example.org'],
    ['ada@exam\u200bple.org', 'ada@example.org'],
    ['ada@ⓔxample.org', 'ada@example.org'],
    ['ada@ｅｘａｍｐｌｅ。org', 'ada@example.org'],
    ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
    ['ada@bu\u0308cher.example', 'ada@xn--bcher-kva.example'],
    ['ada@XN--BCHER-KVA.example', 'ada@xn--bcher-kva.example'],
    ['ada@STRAẞE.example', 'ada@xn--strae-oqa.example'],
    ['zo\u0065\u0308@example.org', 'zoë@example.org'],
    ['ZOË@example.org', 'zoë@example.org'],
    ['用户@例子.example', '用户@xn--fsqu00a.example'],
  ])('of %j is %j', (text, address) => {
    expect(canonicalAddress(text)).toBe(address);
    expect(canonicalAddress(address)).toBe(address);
  });

  it.each([
    '"ada"@example.org',
    '"a\\da"@example.org',
    'a\\da@example.org',
    'ada(comment)@example.org',
    'ada@(comment)example.org',
    'a\u0000da@example.org',
    'ada\n@example.org',
    'ada@exam\u0001ple.org',
    'ada@example.org\r\nBcc: b',
    'ada\u007f@example.org',
    'ada\u0085@example.org',
    'a\u00adda@example.org',
    'a\u200bda@example.org',
    'a\u2060da@example.org',
    'a\u202eda@example.org',
    'a\ufe0fda@example.org',
    'a\u3164da@example.org',
    'a\u00a0da@example.org',
    'a da@example.org',
    '.ada@example.org',
    'ada.@example.org',
    'a..da@example.org',
    'ada@ada@example.org',
    '@example.org',
    'ada@',
    'ada',
    '',
    'ada@example',
    'ada@example..org',
    'ada@example.org.',
    'ada@-example.org',
    'ada@127.0.0.1',
    'ada@１27.0.0.1',
    'ada@[127.0.0.1]',
    'ada@[::1]',
    'ada@example.org:25',
    'ada@example.org/path',
    'ada@ex%61mple.org',
    'ada@exa／mple.org',
    'ada@℀.org',
    'ada@xn--example-.org',
    'ada@xn--a.org',
    'ada@xn--example-oka.org', // a soft hyphen, which no domain has
    'ada@xn--xample-9e7c.org', // ⓔ, which is spelled e
    `${'a'.repeat(65)}@example.org`,
    `ada@${'a'.repeat(64)}.org`,
    `ada@${'aaaaaaa.'.repeat(32)}org`,
  ])('does not exist for %j', (text) => {
    expect(canonicalAddress(text)).toBeNull();
  });

  it('is its own canonical spelling', () => {
    const part = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 });
    const addresses = fc.tuple(part, part).map(([local, domain]) => `${local}@${domain}.example`);
    fc.assert(
      fc.property(addresses, (text) => {
        const address = canonicalAddress(text);
        if (address !== null) expect(canonicalAddress(address)).toBe(address);
      }),
      { seed: 20230703, numRuns: 2000 },
    );
  });
});

describe('an address that an earlier release stored', () => {
  it.each([
    ['"ada"@example.org', 'ada@example.org'],
    ['"a\\da"@example.org', 'ada@example.org'],
    ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
    ['"a b"@example.org', null],
    ['"a\u0001"@example.org', null],
  ])('%j has the canonical spelling %j', (stored, address) => {
    expect(canonicalFormOf(stored)).toBe(address);
  });
});
