import { setTimeout as delay } from 'node:timers/promises';
import { ApiClient, type ApiResponse } from '../support/api-client.js';
import type { TestService } from '../support/service.js';
import { TASKS, type TaskBody } from '../support/tasks.js';
import { newRegistration, type Registration, type Tokens } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const CLIENTS = 4;
/** So that the load leaves processor time to the instances that start. */
const PAUSE_MS = 100;
const ROUNDS_MS = 120_000;

/** A task as its last acknowledged write left it. */
export interface KnownTask {
  id: string;
  etag: string;
  title: string;
  status: string;
}

/** Somebody who has registered under load, and what was acknowledged to them. */
export interface Person extends Registration {
  id: string;
  accessToken: string;
  tasks: KnownTask[];
}

/**
 * Users who register, log in, create, change, complete and read tasks, each request at the next of the instances that serve.
 * Every answer that isn't the expected one is a problem; nothing is tried again.
 */
export class Traffic {
  readonly people: Person[] = [];
  readonly problems: string[] = [];
  requests = 0;
  private serving: TestService[] = [];
  private rounds = 0;
  private stopped = false;
  private running?: Promise<unknown>;

  /** Sends requests to these instances from now on; returns once they have served so many rounds. */
  async through(instances: TestService[], rounds: number): Promise<void> {
    this.serving = instances;
    this.running ??= Promise.all(Array.from({ length: CLIENTS }, () => this.run()));
    const end = this.rounds + rounds;
    await waitFor(`${rounds} rounds of requests`, () => this.rounds >= end, ROUNDS_MS);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      await this.round().catch((error: unknown) => void this.problems.push(String(error)));
      this.rounds += 1;
      await delay(PAUSE_MS);
    }
  }

  /** A new user's first task, and the next steps of an earlier user's task, whatever release wrote it. */
  private async round(): Promise<void> {
    const person = await this.register();
    await this.createTask(person);
    const other = this.people[Math.floor(Math.random() * this.people.length)];
    const task = other?.tasks.shift(); // nobody else changes it meanwhile
    if (other && task) {
      await this.logIn(other);
      await this.read(other, task);
      await this.change(other, task);
      await this.read(other, task);
      other.tasks.push(task);
    }
    this.people.push(person);
  }

  private async register(): Promise<Person> {
    const registration = newRegistration();
    const { body } = await this.send<Tokens>(201, (api) => api.post('/api/v1/auth/register', registration));
    return { ...registration, id: body.user.id, accessToken: body.accessToken, tasks: [] };
  }

  private async logIn(person: Person): Promise<void> {
    const { email, password } = person;
    const { body } = await this.send<Tokens>(200, (api) => api.post('/api/v1/auth/login', { email, password }));
    person.accessToken = body.accessToken;
  }

  private async createTask(person: Person): Promise<void> {
    const { body, headers } = await this.send<TaskBody>(
      201,
      (api) => api.post(TASKS, { title: `Task of ${person.email}`, tags: ['load'] }),
      person,
    );
    person.tasks.push({ id: body.id, etag: headers.get('etag') ?? '', title: body.title, status: body.status });
  }

  /** Completes the task, or gives it another title; a second change with the same tag must be refused. */
  private async change(person: Person, task: KnownTask): Promise<void> {
    const path = `${TASKS}/${task.id}`;
    const ifMatch = { 'If-Match': task.etag };
    const changes = task.status === 'done' ? { title: `Changed ${this.requests}` } : { status: 'done' };
    const { body, headers } = await this.send<TaskBody>(200, (api) => api.patch(path, changes, ifMatch), person);
    Object.assign(task, { etag: headers.get('etag'), title: body.title, status: body.status });
    await this.send(412, (api) => api.patch(path, { title: 'Too late' }, ifMatch), person);
  }

  private async read(person: Person, task: KnownTask): Promise<void> {
    const { body, headers } = await this.send<TaskBody>(200, (api) => api.get(`${TASKS}/${task.id}`), person);
    const found = { id: body.id, etag: headers.get('etag'), title: body.title, status: body.status };
    if (JSON.stringify(found) !== JSON.stringify(task)) {
      this.problems.push(`read ${JSON.stringify(found)} instead of ${JSON.stringify(task)}`);
    }
  }

  /** @throws Error where the answer has another status */
  private async send<T>(
    expected: number,
    request: (api: ApiClient) => Promise<ApiResponse<T>>,
    person?: Person,
  ): Promise<ApiResponse<T>> {
    const service = this.serving[this.requests++ % this.serving.length] as TestService;
    const response = await request(new ApiClient(service, person?.accessToken));
    if (response.status === expected) return response;
    throw new Error(`answered ${response.status} instead of ${expected}: ${JSON.stringify(response.body)}`);
  }
}
