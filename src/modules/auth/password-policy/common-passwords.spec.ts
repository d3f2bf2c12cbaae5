import { CommonPasswords } from './common-passwords.js';

describe('the list of common passwords', () => {
  const common = new CommonPasswords();

  it('has more than a hundred thousand entries that the length rule allows', async () => {
    // The 10,000 commonest are there whatever their length.
    expect(await common.count()).toBeGreaterThan(110_000);
  });

  it.each(['passwordpassword', 'changeme123', 'abcdefghijk', 'QWERTYUIOP', 'password', 'dragon'])(
    'holds %s',
    async (password) => {
      expect(await common.includes(password)).toBe(true);
    },
  );

  it.each(['correct-horse-battery', 'another-horse-battery', ''])('does not hold %j', async (password) => {
    expect(await common.includes(password)).toBe(false);
  });
});
