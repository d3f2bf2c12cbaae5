import { baseForms, isDerivedFrom, isPattern, wordsOf } from './password-patterns.js';

describe('a password that is a pattern', () => {
  it.each([
    'aaaaaaaaaa',
    '1111111111',
    '          ',
    '🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂',
    'abcabcabcabc',
    'abc12abc12abc',
    'horsehorse',
    'aaaaaaaaab',
    'a1a1b1b1a1',
    'abcdefghijk',
    'kjihgfedcba',
    '0123456789',
    '9876543210',
    '1122334455',
    'qwertyuiop',
    'QWERTZUIOP',
    'qwerty123456',
    'poiuytrewq!',
    '1qaz2wsx3edc',
    'abcdefg-1234567',
  ])('is recognised: %j', (password) => {
    expect(isPattern(password)).toBe(true);
  });

  it.each(['correct-horse-battery', 'k3-Zq!x7Tp', '4829175063', 'horse-battery-horse-battery', 'Ünïcode-pässwörter'])(
    'is told from one that is not: %j',
    (password) => {
      expect(isPattern(password)).toBe(false);
    },
  );
});

describe('a password that is derived from its context', () => {
  const words = wordsOf('Ada Lovelace-Byron', 'ada.byron42@engines.example.org');

  it.each([
    'adalovelace',
    'Ada Lovelace!',
    'Lovelace-Byron',
    'lovelace1815',
    'Lovelace12345678',
    'L0vel@ce2026',
    'Ädalövelace',
    'ada.byron42@engines.example.org',
    'engines-byron-ada',
    'byronbyron42',
  ])('is recognised: %s', (password) => {
    expect(isDerivedFrom(password, words)).toBe(true);
  });

  it.each(['correct-horse-battery', 'lovelace-likes-horses', 'adamantium-bridge', '4829175063'])(
    'is told from one that is not: %s',
    (password) => {
      expect(isDerivedFrom(password, words)).toBe(false);
    },
  );

  it('is also recognised where it is an address of short words', () => {
    expect(isDerivedFrom('Jo.Xu@ab.cd.ef', wordsOf('jo.xu@ab.cd.ef'))).toBe(true);
  });

  it('has no words of less than three characters or without letters', () => {
    expect(wordsOf('J R 2026', '127.0.0.1')).toEqual(['j r 2026', 'jr2026', 'j-r-2026']);
  });
});

describe('the base of a password', () => {
  it.each([
    ['Password123!', 'password'],
    ['P@ssw0rd123!', 'password'],
    ['!!changeme2026', 'changeme'],
    ['dr4g0n!!!!', 'dragon'],
  ])('of %s is %s', (password, base) => {
    expect(baseForms(password)).toContain(base);
  });

  it('is nothing but the password itself where much stands around it', () => {
    expect(baseForms('horse-4829175063')).not.toContain('horse');
  });
});
