import type { ApiClient } from './api-client.js';

export interface TaskBody {
  id: string;
  title: string;
  description: string;
  status: string;
  priority: string;
  tags: string[];
  dueDate: string | null;
  remindAt: string | null;
  completedAt: string | null;
  attachments: unknown[];
  version: number;
  createdAt: string;
  updatedAt: string;
}

export const TASKS = '/api/v1/tasks';

/** A task of the client's user; a title is enough. */
export async function createTask(api: ApiClient, fields: Record<string, unknown> = {}): Promise<TaskBody> {
  const { status, body } = await api.post<TaskBody>(TASKS, { title: 'Write the report', ...fields });
  if (status !== 201) throw new Error(`creating a task was answered ${status}: ${JSON.stringify(body)}`);
  return body;
}
