import axios, { AxiosError } from 'axios';
import { runMainFlow, SERVICE_URL, type Task } from './main-flow.js';

const client = axios.create({ baseURL: `${SERVICE_URL}/api/v1` });

await runMainFlow({
  async register(account) {
    await client.post('/auth/register', account);
  },
  async logIn(credentials) {
    const { data } = await client.post<{ accessToken: string }>('/auth/login', credentials);
    client.defaults.headers.common['Authorization'] = `Bearer ${data.accessToken}`;
  },
  async createTask(task) {
    return (await client.post<Task>('/tasks', task)).data;
  },
  async updateTask(id, changes) {
    return (await client.patch<Task>(`/tasks/${id}`, changes)).data;
  },
  async listTasks() {
    return (await client.get<{ data: Task[] }>('/tasks', { params: { limit: 10 } })).data.data;
  },
  async deleteTask(id) {
    await client.delete(`/tasks/${id}`);
  },
});

// Sends a form content type without content.
const { status } = await client.post('/notifications/read-all');
if (status !== 204) throw new Error(`a POST without a body was answered ${status}`);

const refused = await client.post('/tasks', { title: '' }).catch((error: unknown) => error);
if (!(refused instanceof AxiosError) || refused.response?.data.code !== 'VALIDATION_FAILED') {
  throw new Error('an empty title was not answered VALIDATION_FAILED');
}
