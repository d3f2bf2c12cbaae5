import { get } from 'node:http';
import { ObjectId } from 'mongodb';
import { databaseOf } from '../support/database.js';
import { startService, type TestService } from '../support/service.js';
import { createTask, type TaskBody } from '../support/tasks.js';
import { registerUser, type TestUser } from '../support/users.js';

const EXPORT = '/api/v1/users/me/export';
/** More than are read at a time. */
const MANY = 2000;

let service: TestService;
let user: TestUser;
beforeAll(async () => {
  service = await startService();
  user = await registerUser(service);
  const { id } = await createTask(user.api, { title: 'Pattern', description: 'x'.repeat(500) });
  const tasks = databaseOf(service).collection('tasks');
  const { _id, ...pattern } = (await tasks.findOne({ _id: new ObjectId(id) })) ?? {};
  await tasks.insertMany(Array.from({ length: MANY - 1 }, (_, index) => ({ ...pattern, title: `Copy ${index}` })));
  expect(String(_id)).toBe(id);
}, 120_000);

it('holds every task, as one JSON document', async () => {
  const { status, headers, body } = await user.api.get<{ data: { tasks: { tasks: TaskBody[] } } }>(EXPORT);
  expect([status, headers.get('Content-Type')]).toEqual([200, 'application/json; charset=utf-8']);
  expect(new Set(body.data.tasks.tasks.map(({ id }) => id)).size).toBe(MANY);
});

it('ends with a client that has heard enough', async () => {
  const { hostname, port } = new URL(service.url);
  const headers = { Authorization: `Bearer ${user.api.accessToken}` };
  await new Promise<void>((resolve, reject) => {
    const request = get({ hostname, port, path: EXPORT, headers }, (response) =>
      response.once('data', () => request.destroy()).once('close', resolve),
    );
    request.on('error', reject);
  });
  expect((await user.api.get(EXPORT)).status).toBe(200);
  expect(service.logLines().filter(({ level }) => level === 'error')).toEqual([]);
});
