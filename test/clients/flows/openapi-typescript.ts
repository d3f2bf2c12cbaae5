import createClient from 'openapi-fetch';
import type { paths } from '../generated/openapi-typescript.js';
import { present, runMainFlow, SERVICE_URL } from './main-flow.js';

const client = createClient<paths>({ baseUrl: SERVICE_URL });

await runMainFlow({
  async register(body) {
    const { data, error } = await client.POST('/api/v1/auth/register', { body });
    present(data, error);
  },
  async logIn(body) {
    const { data, error } = await client.POST('/api/v1/auth/login', { body });
    const { accessToken } = present(data, error);
    client.use({
      onRequest({ request }) {
        request.headers.set('Authorization', `Bearer ${accessToken}`);
      },
    });
  },
  async createTask(body) {
    const { data, error } = await client.POST('/api/v1/tasks', { body });
    return present(data, error);
  },
  async updateTask(id, body) {
    const { data, error } = await client.PATCH('/api/v1/tasks/{id}', { params: { path: { id } }, body });
    return present(data, error);
  },
  async listTasks() {
    const { data, error } = await client.GET('/api/v1/tasks', { params: { query: { limit: 10 } } });
    return present(data, error).data;
  },
  async deleteTask(id) {
    const { error } = await client.DELETE('/api/v1/tasks/{id}', { params: { path: { id } } });
    if (error) throw new Error(error.detail);
  },
});
