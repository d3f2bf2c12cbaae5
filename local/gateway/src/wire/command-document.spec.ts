import { Decimal128, Double, Long, MaxKey, ObjectId, Timestamp, deserialize, serialize } from 'bson';
import { CommandDocument, elementOf } from './command-document.js';

const everything = {
  insert: 'tasks',
  double: new Double(1.5),
  document: { a: [1, { b: 2 }] },
  binary: Buffer.from([1, 2, 3]),
  id: new ObjectId(),
  yes: true,
  date: new Date(),
  none: null,
  pattern: /a\/b/i,
  int: 7,
  time: new Timestamp({ t: 1, i: 2 }),
  long: Long.fromString('9007199254740993'),
  decimal: Decimal128.fromString('1.1'),
  max: new MaxKey(),
  last: 'ü',
};

describe('a command seen at its top level', () => {
  const command = new CommandDocument(Buffer.from(serialize(everything)));

  it('has its fields in order, whatever their types', () => {
    expect(command.elements.map(({ name }) => name)).toEqual(Object.keys(everything));
    expect(command.firstName).toBe('insert');
  });

  it('gives scalars, and nothing where the type is another', () => {
    expect(command.string('last')).toBe('ü');
    expect(command.string('int')).toBeUndefined();
    expect([command.number('int'), command.number('double'), command.number('last')]).toEqual([7, 1.5, undefined]);
    expect(command.int64('long')).toBe(9007199254740993n);
    expect([command.boolean('yes'), command.boolean('int'), command.boolean('missing')]).toEqual([
      true,
      true,
      undefined,
    ]);
    expect(command.binary('binary')).toEqual(Buffer.from([1, 2, 3]));
    expect(command.document('document')?.firstName).toBe('a');
  });

  it('is rewritten without some fields and with others', () => {
    const rewritten = command.rewrite(new Set(['double', 'max']), [elementOf('cursor', {})]);
    const kept = Object.keys(everything).filter((name) => name !== 'double' && name !== 'max');
    expect(Object.keys(deserialize(rewritten))).toEqual([...kept, 'cursor']);
  });

  it('stays the same bytes when there is nothing to leave out', () => {
    expect(command.rewrite(new Set(['other']))).toBe(command.bytes);
  });

  it.each([
    ['a wrong length', Buffer.from([9, 0, 0, 0, 0])],
    ['no end', Buffer.from([5, 0, 0, 0, 1])],
    ['a value longer than the document', Buffer.from([12, 0, 0, 0, 2, 0x61, 0, 99, 0, 0, 0, 0])],
    ['an unknown type', Buffer.from([8, 0, 0, 0, 0x55, 0x61, 0, 0])],
    ['a name without an end', Buffer.from([8, 0, 0, 0, 0x0a, 0x61, 0x61, 0])],
  ])('is refused for %s', (_name, bytes) => expect(() => new CommandDocument(bytes)).toThrow(/BSON/));
});
