import { assertHoldersExport } from './data-holders.js';

describe('assertHoldersExport', () => {
  it('accepts modules of this process that export what they hold, or hold nothing', () => {
    expect(() => assertHoldersExport(['users', 'tasks'], ['auth', 'users'], ['users'])).not.toThrow();
  });

  it('refuses a module that holds something and exports nothing', () => {
    expect(() => assertHoldersExport(['users', 'tasks'], ['auth', 'users', 'tasks'], ['users'])).toThrow(
      "The module tasks has no provider with @ExportsPersonalData('tasks'), but its manifest lists personal data.",
    );
  });

  it('refuses a module that exports what its manifest lists nowhere', () => {
    expect(() => assertHoldersExport(['users', 'tasks'], ['users'], ['users', 'tasks'])).toThrow(
      'The manifest of the module tasks must list the personal data that the module exports.',
    );
  });
});
