import type { AccountState } from '../../contracts/auth.events.js';
import { KnownEndings } from './known-endings.js';

const KEPT_MS = 1000;
const USER = 'user-1';

let now: number;
let known: KnownEndings;
beforeEach(() => {
  now = 0;
  known = new KnownEndings(KEPT_MS, () => now);
});

function decide(version: number, { role = 'user', status = 'active' }: Partial<AccountState>): void {
  known.add({ kind: 'account', subject: USER, at: 0, account: { version, role, status } });
}

it.each([
  ['lowers', 'user', 'admin', 'user'],
  ["doesn't raise", 'admin', 'user', 'user'],
] as const)('a recent decision %s the role of a credential', (_, decided, role, effective) => {
  decide(5, { role: decided });
  expect(known.roleAtMost(USER, role)).toBe(effective);
});

it('a copy of the role counts where it is newer than the decision', () => {
  decide(5, { role: 'admin' });
  expect(known.roleSince(USER, { role: 'user', version: 4 })).toBe('admin');
  expect(known.roleSince(USER, { role: 'user', version: 6 })).toBe('user');
});

it('keeps the end of a session for a time from its receipt, independent of the clock of the machine that decided', () => {
  const token = { userId: USER, sessionId: 'session-1', issuedAt: 0 };
  known.add({ kind: 'session', subject: 'session-1', at: Date.now() - 10 * KEPT_MS });
  now = KEPT_MS;
  known.forgetExpired();
  expect(known.hasEnded(token)).toBe(true);
  now = KEPT_MS + 1;
  known.forgetExpired();
  expect(known.hasEnded(token)).toBe(false);
});

it('keeps a suspension until it is lifted', () => {
  decide(5, { status: 'suspended' });
  now = 100 * KEPT_MS;
  known.forgetExpired();
  expect(known.statusOf(USER)).toBe('suspended');
  decide(6, { status: 'active' });
  expect(known.statusOf(USER)).toBe('active');
});
