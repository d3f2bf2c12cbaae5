import { createTask, deleteTask, listTasks, login, register, updateTask } from '../generated/orval.js';
import { runMainFlow } from './main-flow.js';

const options = { headers: {} };

/** @returns the body of an answer with this status; the generated types know which body each status has */
function bodyOf<Answer extends { status: number; data: unknown }, Status extends Answer['status']>(
  answer: Answer,
  status: Status,
): Extract<Answer, { status: Status }>['data'] {
  if (answer.status !== status) throw new Error(`${answer.status}: ${JSON.stringify(answer.data)}`);
  return answer.data;
}

await runMainFlow({
  async register(account) {
    bodyOf(await register(account), 201);
  },
  async logIn(credentials) {
    const { accessToken } = bodyOf(await login(credentials), 200);
    options.headers = { Authorization: `Bearer ${accessToken}` };
  },
  async createTask(task) {
    return bodyOf(await createTask(task, options), 201);
  },
  async updateTask(id, changes) {
    return bodyOf(await updateTask(id, changes, options), 200);
  },
  async listTasks() {
    return bodyOf(await listTasks({ limit: 10 }, options), 200).data;
  },
  async deleteTask(id) {
    bodyOf(await deleteTask(id, options), 204);
  },
});
