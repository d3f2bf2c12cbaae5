import { withoutValues } from './scrub.js';

describe('withoutValues', () => {
  it.each([
    [
      'E11000 duplicate key error collection: api.emails index: _id_ dup key: { _id: "ada@example.org" }',
      'E11000 duplicate key error collection: api.emails index: _id_ dup key: { _id: [value] }',
    ],
    [
      'Cast to ObjectId failed for value "Buy \\"milk\\"" (type string)',
      'Cast to ObjectId failed for value [value] (type string)',
    ],
    [`Unexpected token 'B', "Buy milk" is not valid JSON`, 'Unexpected token [value], [value] is not valid JSON'],
    ['550 5.1.1 ada@example.org: no such user', '550 5.1.1 [email]: no such user'],
    ['the provider refused +43 660 1234567', 'the provider refused [number]'],
    ['connect ECONNREFUSED amqp://user:hunter2@broker:5672', 'connect ECONNREFUSED amqp://[credentials]@broker:5672'],
    ["Cannot read properties of undefined (reading 'title')", 'Cannot read properties of undefined (reading [value])'],
  ])('makes of %s: %s', (message, expected) => {
    expect(withoutValues(message)).toBe(expected);
  });
});
