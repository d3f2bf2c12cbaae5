import { jest } from '@jest/globals';
import type { SessionPrincipal } from '../../common/auth/principal.js';
import { LastAdminError } from '../../common/errors/problem.js';
import { AccountLifecycleService } from './account-lifecycle.service.js';
import { AccountsService } from './accounts.service.js';
import { InvalidCredentialsError } from './auth.errors.js';

const ME = 'a'.repeat(24);
const OTHER = 'b'.repeat(24);

/**
 * A service with two administrators.
 *
 * @param change what another request makes of the own account after the step-up
 * @param known what the feed says of the other administrator
 */
function serviceWith(change: object, known: { active?: boolean; role?: string } = {}) {
  const account = { _id: ME, email: 'me@test.org', role: 'admin', version: 3 };
  const chain = (result: unknown) => ({ lean: () => Promise.resolve(result) });
  const deleteOne = jest.fn(() => Promise.resolve());
  const model = {
    find: () => chain([{ _id: OTHER }]),
    findById: () => chain(null),
    findByIdAndUpdate: (id: string) => chain({ ...account, _id: id, ...(id === ME && change) }),
    deleteOne,
    deleteMany: () => Promise.resolve(),
  };
  const nothing = { endAll: jest.fn(), removeAll: jest.fn(), markErased: jest.fn(), add: jest.fn(), unlock: jest.fn() };
  const parts = {
    accounts: Object.assign(Object.create(AccountsService.prototype) as AccountsService, {
      accounts: model,
      emails: model,
    }),
    stepUp: { verify: () => Promise.resolve(account) },
    revocations: {
      isActive: () => known.active ?? true,
      latestRole: (_: string, copy: { role: string }) => copy.role,
      effectiveRole: (id: string, role: string) => (id === OTHER && known.role) || role,
    },
    transactions: { run: (work: (session: object) => Promise<void>) => work({}) },
    audit: { record: jest.fn(), anonymise: jest.fn() },
  };
  const service: AccountLifecycleService = Object.assign(
    Object.create(AccountLifecycleService.prototype) as object,
    { sessions: nothing, apiKeys: nothing, tokens: nothing, attempts: nothing, personalData: nothing, outbox: nothing },
    parts,
  ) as never;
  const remove = () => service.deleteOwn({ userId: ME } as SessionPrincipal, {}, { ip: '', userAgent: '' }, 'any');
  return { remove, deleteOne };
}

describe('the deletion of the own account', () => {
  it('is done where another administrator stays', async () => {
    const { remove, deleteOne } = serviceWith({});
    await remove();
    expect(deleteOne).toHaveBeenCalled();
  });

  it('is refused where password or address have changed since the password was checked', async () => {
    const { remove, deleteOne } = serviceWith({ version: 4, email: 'new@test.org' });
    await expect(remove()).rejects.toThrow(InvalidCredentialsError);
    expect(deleteOne).not.toHaveBeenCalled();
  });

  it.each([
    ['demoted', { role: 'user' }],
    ['suspended or deleted', { active: false }],
  ])('is refused where the only other administrator has just been %s', async (_, known) => {
    const { remove, deleteOne } = serviceWith({}, known);
    await expect(remove()).rejects.toThrow(LastAdminError);
    expect(deleteOne).not.toHaveBeenCalled();
  });
});
