import { setTimeout as delay } from 'node:timers/promises';
import { TASKS, type TaskBody } from '../support/tasks.js';
import type { TestUser } from '../support/users.js';
import { randomOf } from '../../src/modules/tasks/seed/random.js';

const CREATED = 0.4;
const RENAMED = 0.1;
/** Renamings in a row, so that their events are under way together and may overtake each other. */
const RENAMINGS = 3;
const PAUSE_MS = { least: 50, most: 250 };

/** What the service has acknowledged of a task. */
export interface Acknowledged {
  owner: TestUser;
  /** The versions that the answers named, the latest last. */
  versions: number[];
  /** Whether it was done at some point. */
  completed: boolean;
}

type Task = TaskBody & { version: number };

/** Changes the tasks and names of some users, and keeps what of it was acknowledged; the rest may have happened or not. */
export class Writer {
  readonly acknowledged = new Map<string, Acknowledged>();
  changes = 0;
  refused = 0;
  private readonly random: () => number;
  private readonly tasksOf = new Map<TestUser, string[]>();

  constructor(
    private readonly users: readonly TestUser[],
    seed: number,
  ) {
    this.random = randomOf(seed).number;
  }

  /** Goes through its users, a change each, until it is told to stop. */
  async write(isOver: () => boolean): Promise<void> {
    for (let turn = 0; !isOver(); turn++) {
      const user = this.users[turn % this.users.length] as TestUser;
      try {
        if (this.random() < RENAMED) await this.rename(user);
        await this.change(user);
      } catch {
        this.refused += 1; // what it depends on is down: that is the test
        await delay(PAUSE_MS.least + this.random() * (PAUSE_MS.most - PAUSE_MS.least));
      }
    }
  }

  private async change(owner: TestUser): Promise<void> {
    const own = this.tasksOf.get(owner) ?? [];
    this.tasksOf.set(owner, own);
    const id = this.random() < CREATED ? undefined : own[Math.floor(this.random() * own.length)];
    const fields = this.random() < 0.5 ? { status: 'done' } : { title: `Changed ${this.number()}` };
    const { status, body } = id
      ? await owner.api.patch<Task>(`${TASKS}/${id}`, fields)
      : await owner.api.post<Task>(TASKS, { title: 'Through chaos' });
    if (status >= 400) throw new Error(`answered ${status}`);
    this.changes += 1;
    if (!id) own.push(body.id);
    const before = this.acknowledged.get(body.id) ?? { owner, versions: [], completed: false };
    this.acknowledged.set(body.id, {
      owner,
      versions: [...before.versions, body.version],
      completed: before.completed || body.status === 'done',
    });
  }

  /** The profile's name, of which two other modules keep copies. */
  private async rename(owner: TestUser): Promise<void> {
    for (let count = 0; count < RENAMINGS; count++) {
      const { status } = await owner.api.patch('/api/v1/users/me', { name: `Name ${this.number()}` });
      if (status >= 400) throw new Error(`answered ${status}`);
    }
  }

  private number(): number {
    return Math.floor(this.random() * 1e6);
  }
}
