import { client } from '../generated/hey-api/client.gen.js';
import { createTask, deleteTask, listTasks, login, register, updateTask } from '../generated/hey-api/index.js';
import { runMainFlow, SERVICE_URL } from './main-flow.js';

client.setConfig({ baseUrl: SERVICE_URL, throwOnError: true });

await runMainFlow({
  async register(body) {
    await register({ body, throwOnError: true });
  },
  async logIn(body) {
    const { data } = await login({ body, throwOnError: true });
    client.setConfig({ auth: data.accessToken });
  },
  async createTask(body) {
    return (await createTask({ body, throwOnError: true })).data;
  },
  async updateTask(id, body) {
    return (await updateTask({ path: { id }, body, throwOnError: true })).data;
  },
  async listTasks() {
    const query = { limit: 10, status: ['todo' as const, 'done' as const] };
    return (await listTasks({ query, throwOnError: true })).data.data;
  },
  async deleteTask(id) {
    await deleteTask({ path: { id }, throwOnError: true });
  },
});
