import { ObjectId } from 'mongodb';
import type { Problem } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { startService, type TestService } from '../support/service.js';
import { createTask, TASKS } from '../support/tasks.js';
import { registerUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

interface Stats {
  total: number;
  byStatus: Record<string, number>;
  byPriority: Record<string, number>;
  overdue: number;
  dueToday: number;
  completedPerDay: { date: string; count: number }[];
  averageHoursToComplete: number | null;
}

const STATS = `${TASKS}/stats`;

let service: TestService;
beforeAll(async () => {
  service = await startService();
});

/** Today's date in a time zone. */
function today(timeZone: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format();
}

describe('the statistics', () => {
  it('follow every change at once', async () => {
    const { api } = await registerUser(service);
    const overdue = await createTask(api, { dueDate: '2020-01-01T00:00:00Z', priority: 'urgent' });
    await createTask(api, { priority: 'low', status: 'in_progress' });
    const read = async () => (await api.get<Stats>(STATS)).body;
    expect(await read()).toMatchObject({ total: 2, overdue: 1, byStatus: { todo: 1, in_progress: 1, done: 0 } });
    await api.patch(`${TASKS}/${overdue.id}`, { status: 'done' });
    const after = await read();
    expect(after).toMatchObject({ overdue: 0, byStatus: { todo: 0, done: 1 }, byPriority: { low: 1, urgent: 1 } });
    expect(after.averageHoursToComplete).toBeGreaterThanOrEqual(0);
    expect(after.completedPerDay.at(-1)).toEqual({ date: today('UTC'), count: 1 });
    await api.delete(`${TASKS}/${overdue.id}`);
    expect(await read()).toMatchObject({ total: 1, byStatus: { done: 0 }, averageHoursToComplete: null });
  });

  it.each(['Pacific/Kiritimati', 'Pacific/Pago_Pago', 'Asia/Kathmandu'])('end with today in %s', async (timezone) => {
    const { api } = await registerUser(service);
    await createTask(api, { status: 'done' });
    const before = today(timezone);
    const { body } = await api.get<Stats>(`${STATS}?timezone=${timezone}`);
    expect([before, today(timezone)]).toContain(body.completedPerDay.at(-1)?.date);
    expect(body.completedPerDay.reduce((sum, { count }) => sum + count, 0)).toBe(1);
  });

  it('are of a copied time zone as soon as the copy is there, whatever the cache holds', async () => {
    const user = await registerUser(service);
    const read = async () => (await user.api.get<Stats>(STATS)).body.completedPerDay.at(-1)?.date;
    const owners = databaseOf(service).collection('taskowners');
    const _id = new ObjectId(user.id);
    const [first, second] = ['Pacific/Kiritimati', 'Pacific/Pago_Pago'] as const;
    await user.api.patch('/api/v1/users/me', { timezone: first });
    await waitFor('the copy', async () => (await owners.countDocuments({ _id, timezone: first })) === 1);
    for (const ask of ['to make it', 'from the cache']) {
      const before = today(first);
      expect([ask, before, today(first)]).toContain(await read());
    }
    // As another process does in the moment before it tells the cache.
    await owners.updateOne({ _id }, { $set: { timezone: second } });
    const before = today(second);
    expect([before, today(second)]).toContain(await read());
  });

  it("take over the time zone of the user's profile", async () => {
    const { api } = await registerUser(service);
    await api.get(STATS);
    const zone = today('Pacific/Kiritimati') === today('UTC') ? 'Pacific/Pago_Pago' : 'Pacific/Kiritimati';
    await api.patch('/api/v1/users/me', { timezone: zone });
    await waitFor('the time zone to arrive', async () => {
      const { body } = await api.get<Stats>(STATS);
      return body.completedPerDay.at(-1)?.date === today(zone);
    });
  });

  it.each(['Europe/Atlantis', '', 'UTC%00', '+25:00', '%2B05:30', 'a'.repeat(500)])(
    'refuse the time zone %s',
    async (timezone) => {
      const { api } = await registerUser(service);
      const { status, body } = await api.get<Problem>(`${STATS}?timezone=${timezone}`);
      expect([status, body.errors?.map(({ field }) => field)]).toEqual([400, ['timezone']]);
    },
  );
});
