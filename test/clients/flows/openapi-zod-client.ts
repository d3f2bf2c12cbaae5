import { createApiClient } from '../generated/openapi-zod-client.js';
import { runMainFlow, SERVICE_URL } from './main-flow.js';

const client = createApiClient(SERVICE_URL);

await runMainFlow({
  async register(account) {
    await client.register(account);
  },
  async logIn(credentials) {
    const { accessToken } = await client.login(credentials);
    client.axios.defaults.headers.common['Authorization'] = `Bearer ${accessToken}`;
  },
  createTask(task) {
    return client.createTask(task);
  },
  updateTask(id, changes) {
    return client.updateTask(changes, { params: { id } });
  },
  async listTasks() {
    return (await client.listTasks({ queries: { limit: 10 } })).data;
  },
  async deleteTask(id) {
    await client.deleteTask(undefined, { params: { id } });
  },
});
