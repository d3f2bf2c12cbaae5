import { withoutNullable } from './nullable.js';

describe('withoutNullable', () => {
  it.each([
    ['a type', { type: 'string', nullable: true }, { type: ['string', 'null'] }],
    ['an enum', { type: 'string', enum: ['a'], nullable: true }, { type: ['string', 'null'], enum: ['a', null] }],
    ['a reference', { $ref: '#/x', nullable: true }, { anyOf: [{ $ref: '#/x' }, { type: 'null' }] }],
    [
      'an allOf',
      { allOf: [{ $ref: '#/x' }], nullable: true },
      { anyOf: [{ allOf: [{ $ref: '#/x' }] }, { type: 'null' }] },
    ],
    ['nothing', { type: 'string', nullable: false }, { type: 'string' }],
  ])('says "or null" of %s as JSON Schema does', (_, schema, expected) => {
    expect(withoutNullable(schema)).toEqual(expected);
  });

  it('does so at any depth, and leaves the rest as it is', () => {
    const document = { paths: { '/a': [{ schema: { type: 'integer', nullable: true } }, null, 1, 'x', true] } };
    expect(withoutNullable(document)).toEqual({
      paths: { '/a': [{ schema: { type: ['integer', 'null'] } }, null, 1, 'x', true] },
    });
  });

  it('leaves a property that is merely called nullable', () => {
    const schema = { properties: { nullable: { type: 'string', nullable: true } } };
    expect(withoutNullable(schema)).toEqual({ properties: { nullable: { type: ['string', 'null'] } } });
  });
});
