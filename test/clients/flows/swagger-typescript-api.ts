import { Api } from '../generated/swagger-typescript-api.js';
import { runMainFlow, SERVICE_URL } from './main-flow.js';

const client = new Api<string>({
  baseUrl: SERVICE_URL,
  securityWorker: (token) => (token ? { headers: { Authorization: `Bearer ${token}` } } : {}),
});

await runMainFlow({
  async register(account) {
    await client.api.register(account);
  },
  async logIn(credentials) {
    const { data } = await client.api.login(credentials);
    client.setSecurityData(data.accessToken);
  },
  async createTask(task) {
    return (await client.api.createTask(task)).data;
  },
  async updateTask(id, changes) {
    return (await client.api.updateTask(id, changes)).data;
  },
  async listTasks() {
    return (await client.api.listTasks({ limit: 10 })).data.data;
  },
  async deleteTask(id) {
    await client.api.deleteTask(id);
  },
});
