import fc from 'fast-check';

/** Letters, marks and digits of all scripts, by blocks of 128 code points: those of small scripts come as often as Han. */
const BLOCKS = Array.from({ length: 0x20000 / 128 }, (_, block) =>
  Array.from({ length: 128 }, (_, index) => String.fromCodePoint(block * 128 + index)).filter((character) =>
    /[\p{L}\p{M}\p{N}]/u.test(character),
  ),
).filter((block) => block.length > 0);
const INVISIBLE = ['\u00ad', '\u200b', '\u200c', '\u200d', '\u2060', '\ufe0f', '\u0301', ' ', '-'];

/** Words of any script, with what may stand in them unseen. */
export const anyScript = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...BLOCKS).chain((block) => fc.constantFrom(...block)) },
      { weight: 1, arbitrary: fc.constantFrom(...INVISIBLE) },
    ),
    { minLength: 1, maxLength: 30 },
  )
  .map((characters) => characters.join(''));

/** Spellings of a few mailboxes, and of none. */
export const mailAddress = fc
  .tuple(
    fc.constantFrom(
      'ada',
      'ADA',
      '"ada"',
      'a\\da',
      'a\u00adda',
      'ada\u0000',
      'zo\u0065\u0308',
      'zoë',
      '(x)ada',
      '用户',
    ),
    fc.constantFrom('example.org', 'exam\u00adple.org', 'ⓔxample.org', 'bücher.example', 'bu\u0308cher.example'),
    fc.constantFrom('', '.', '/x', ':25', '\u0001', '\r\nBcc: b@example.org'),
  )
  .map(([local, domain, rest]) => `${local}@${domain}${rest}`);

/** JSON with a byte of another encoding in it. */
export function withByte(body: unknown, byte: number, place: number): Buffer {
  const text = Buffer.from(JSON.stringify(body) ?? '');
  const at = place % (text.length + 1);
  return Buffer.concat([text.subarray(0, at), Buffer.from([byte]), text.subarray(at)]);
}
