import { ownedBy } from './access-scope.js';

const USER = '0123456789abcdef01234567';

describe('ownedBy', () => {
  it('filters by the user, as an id that aggregations compare too', () => {
    const { filter } = ownedBy(USER);
    expect(Object.keys(filter)).toEqual(['user']);
    expect(filter.user.toHexString()).toBe(USER);
  });

  it('has the key under which cached answers of a user have always been', () => {
    expect(ownedBy(USER).key).toBe(USER);
  });

  it('refuses what is no id rather than match something else', () => {
    expect(() => ownedBy('')).toThrow(TypeError);
    expect(() => ownedBy(undefined as never)).toThrow(TypeError);
    expect(() => ownedBy('{"$ne":null}')).toThrow(TypeError);
  });
});
