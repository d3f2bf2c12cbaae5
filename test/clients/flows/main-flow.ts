/** What each generated client is asked to do, in its own types. */
export interface MainFlow {
  register(account: Account): Promise<void>;
  /** Later calls send the access token. */
  logIn(credentials: Credentials): Promise<void>;
  createTask(task: { title: string; priority: 'high' }): Promise<Task>;
  updateTask(id: string, changes: { title?: string; status?: 'done' }): Promise<Task>;
  listTasks(): Promise<Task[]>;
  deleteTask(id: string): Promise<void>;
}

export interface Credentials {
  email: string;
  password: string;
}

export interface Account extends Credentials {
  name: string;
}

export interface Task {
  id: string;
  title: string;
  status: string;
  priority: string;
}

/** The address of the service: the document names the public one. */
export const SERVICE_URL = process.argv[2] ?? '';

/** Registers, logs in, and creates, changes, lists and deletes a task. @throws Error where an answer is another one */
export async function runMainFlow(client: MainFlow): Promise<void> {
  const credentials = { email: `c${Date.now()}.${process.pid}@example.org`, password: 'correct-horse-battery' };
  await client.register({ name: 'Ada Lovelace', ...credentials });
  await client.logIn(credentials);
  const { id } = await client.createTask({ title: 'Call the bank', priority: 'high' });
  await client.updateTask(id, { status: 'done' });
  // Changes the title alone: the other fields keep their values.
  expectEqual(pick(await client.updateTask(id, { title: 'Call the office' })), {
    ...{ title: 'Call the office', status: 'done', priority: 'high' },
  });
  const tasks = await client.listTasks();
  expectEqual(
    tasks.map((task) => task.id),
    [id],
  );
  await client.deleteTask(id);
  expectEqual(await client.listTasks(), []);
}

/** @throws Error where there is no value */
export function present<T>(value: T | undefined, problem?: unknown): T {
  if (value === undefined) throw new Error(`no answer: ${JSON.stringify(problem)}`);
  return value;
}

function pick({ title, status, priority }: Task) {
  return { title, status, priority };
}

function expectEqual(actual: unknown, expected: unknown): void {
  const [found, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (found !== wanted) throw new Error(`expected ${wanted}, received ${found}`);
}
