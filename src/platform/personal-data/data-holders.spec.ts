import { assertHoldersExport } from './data-holders.js';

describe('assertHoldersExport', () => {
  it('accepts modules of this process that export what they hold, or hold nothing', () => {
    expect(() => assertHoldersExport(['users', 'notifications'], ['auth', 'users'], ['users'])).not.toThrow();
  });

  it('refuses a module that holds something and exports nothing', () => {
    expect(() =>
      assertHoldersExport(['users', 'notifications'], ['auth', 'users', 'notifications'], ['users']),
    ).toThrow(
      "The module notifications has no provider with @ExportsPersonalData('notifications'), but its manifest lists personal data.",
    );
  });

  it('refuses a module that exports what its manifest lists nowhere', () => {
    expect(() => assertHoldersExport(['users', 'notifications'], ['users'], ['users', 'notifications'])).toThrow(
      'The manifest of the module notifications must list the personal data that the module exports.',
    );
  });
});
