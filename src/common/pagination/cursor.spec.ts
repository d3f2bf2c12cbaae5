import { SecretBox } from '../crypto/secret-box.js';
import { ValidationFailedError } from '../errors/problem.js';
import { Cursors } from './cursor.js';

const cursors = new Cursors(new SecretBox({ APP_SECRETS: ['a secret'] }));
const position = { value: '2031-01-01T00:00:00.000Z', id: '0123456789abcdef01234567' };
const cursor = cursors.encode('tasks:-createdAt', position);

describe('a cursor', () => {
  it.each([position, { value: 3, id: position.id, tied: true }, { value: 'ü@example.org', id: position.id }])(
    'gives back the position %j',
    (each) => {
      expect(cursors.decode('list', cursors.encode('list', each))).toEqual(each);
    },
  );

  it('fits into a URL as it is', () => {
    expect(encodeURIComponent(cursor)).toBe(cursor);
  });

  it.each([
    ['of another list', 'users:-createdAt', cursor],
    ['of another order', 'tasks:createdAt', cursor],
    ['with another payload', 'tasks:-createdAt', `A${cursor.slice(1)}`],
    ['cut short', 'tasks:-createdAt', cursor.slice(0, -1)],
    ['with something behind it', 'tasks:-createdAt', `${cursor}.x`],
    ['without a signature', 'tasks:-createdAt', cursor.split('.')[0] ?? ''],
    ['empty', 'tasks:-createdAt', ''],
    ['a dot', 'tasks:-createdAt', '.'],
  ])('is refused where it is %s, naming the field', (_, list, given) => {
    expect(() => cursors.decode(list, given)).toThrow(ValidationFailedError);
    try {
      cursors.decode(list, given);
    } catch (error) {
      expect((error as ValidationFailedError).members).toMatchObject({ errors: [{ field: 'cursor' }] });
    }
  });
});
