import type { ApiClient, ApiResponse, PageOf } from '../../support/api-client.js';
import type { TestService } from '../../support/service.js';
import { createTask, TASKS, type TaskBody } from '../../support/tasks.js';
import { registerUser } from '../../support/users.js';

/** What was seen that must not be. */
export class Findings {
  readonly stale: string[] = [];
  readonly leaks: string[] = [];
  readonly tally = { reads: 0, hits: 0, changes: 0 };
}

/** What is known of one of a user's tasks: the numbers of its last changes. */
interface Slot {
  sent: number;
  /** What it must show at least. */
  acknowledged: number;
  /** What was acknowledged before that. */
  former: number;
}

/**
 * A user as the model knows them: the number that each of their tasks carries in its title, as far as its change was
 * acknowledged, and how many tasks there are at least.
 */
export class Person {
  private readonly slots: Slot[];
  private total: number;

  private constructor(
    readonly name: string,
    private readonly api: ApiClient,
    readonly ids: string[],
    private readonly findings: Findings,
  ) {
    this.slots = ids.map(() => ({ sent: 0, acknowledged: 0, former: 0 }));
    this.total = ids.length;
  }

  static async register(name: string, slots: number, service: TestService, findings: Findings): Promise<Person> {
    const { api } = await registerUser(service);
    const ids: string[] = [];
    for (let slot = 0; slot < slots; slot++) ids.push((await createTask(api, { title: `${name} ${slot} 0` })).id);
    return new Person(name, api, ids, findings);
  }

  /** One that isn't acknowledged may have happened or not. */
  async change(slot: number, at: TestService): Promise<void> {
    const known = this.slots[slot] as Slot;
    const number = ++known.sent;
    const title = `${this.name} ${slot} ${number}`;
    this.findings.tally.changes++;
    if (await attempt(() => this.api.at(at).patch(`${TASKS}/${this.ids[slot]}`, { title }), 200))
      this.expect(slot, number);
  }

  async create(at: TestService): Promise<void> {
    this.findings.tally.changes++;
    if (await attempt(() => this.api.at(at).post(TASKS, { title: `${this.name} - 0` }), 201)) this.total++;
  }

  /** What a fault has left of an unacknowledged change counts from now on as if it had been acknowledged. */
  expect(slot: number, number: number): void {
    const known = this.slots[slot] as Slot;
    if (number > known.acknowledged) this.slots[slot] = { ...known, acknowledged: number, former: known.acknowledged };
  }

  /** @returns whether the list came from the cache */
  async list(at: TestService, limit: number): Promise<boolean> {
    const known = this.slots.map((slot) => ({ ...slot }));
    const answer = await this.read<PageOf<TaskBody>>(at, `${TASKS}?sort=createdAt&limit=${limit}`);
    if (!answer) return false;
    const titles = answer.body.data.map(({ title }) => title);
    known.forEach((each, slot) => this.check(titles[slot], slot, each, `list on ${at.url}`, answer));
    const foreign = titles.filter((title) => !title.startsWith(`${this.name} `));
    this.findings.leaks.push(...foreign.map((title) => `${this.name} was shown ${title}`));
    return describe(answer) === 'HIT';
  }

  async one(at: TestService, slot: number): Promise<void> {
    const known = { ...(this.slots[slot] as Slot) };
    const answer = await this.read<TaskBody>(at, `${TASKS}/${this.ids[slot]}`);
    if (answer) this.check(answer.body.title, slot, known, `task on ${at.url}`, answer);
  }

  async stats(at: TestService): Promise<void> {
    const known = this.total;
    const answer = await this.read<{ total: number }>(at, `${TASKS}/stats`);
    if (!answer || answer.body.total >= known) return;
    this.findings.stale.push(
      `${this.name}: ${answer.body.total} tasks after ${known} (${describe(answer)}, ${at.url})`,
    );
  }

  private async read<T>(at: TestService, path: string): Promise<ApiResponse<T> | null> {
    const answer = await attempt(() => this.api.at(at).get<T>(path), 200);
    if (!answer) return null;
    this.findings.tally.reads++;
    if (answer.headers.get('x-cache') === 'HIT') this.findings.tally.hits++;
    return answer;
  }

  private check(title: string | undefined, slot: number, known: Slot, where: string, answer: ApiResponse): void {
    const [name, shownSlot, number] = title?.split(' ') ?? [];
    if (name !== this.name || Number(shownSlot) !== slot) {
      this.findings.leaks.push(`${this.name} was shown ${title} for slot ${slot} by ${where}`);
    } else if (Number(number) < known.acknowledged) {
      const { acknowledged, former } = known;
      this.findings.stale.push(`${title} after ${former}, ${acknowledged} by ${where} (${describe(answer)})`);
    }
  }
}

/** @returns null where there was no answer, or another one: the instance is down, or can't tell */
async function attempt<T>(request: () => Promise<ApiResponse<T>>, status: number): Promise<ApiResponse<T> | null> {
  const answer = await request().catch(() => null);
  if (answer && answer.status !== status && answer.status < 500) {
    throw new Error(`answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  }
  return answer?.status === status ? answer : null;
}

const describe = ({ headers }: ApiResponse) => headers.get('x-cache');
