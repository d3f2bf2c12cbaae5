import type { AttachmentResponseDto } from './dto/attachment-response.dto.js';
import type { TaskChangeResponseDto } from './dto/task-change-response.dto.js';
import type { TaskResponseDto } from './dto/task-response.dto.js';
import type { Attachment } from './schemas/attachment.schema.js';
import type { TaskChange } from './schemas/task-change.schema.js';
import { NO_DUE_DATE, type Task, TASK_PRIORITIES, type TaskPriority } from './schemas/task.schema.js';

export function toTaskResponse(task: Task): TaskResponseDto {
  return {
    id: String(task._id),
    title: task.title,
    description: task.description,
    status: task.status,
    priority: toPriority(task.priority),
    tags: task.tags,
    dueDate: task.dueDate.getTime() === NO_DUE_DATE.getTime() ? null : task.dueDate.toISOString(),
    remindAt: task.remindAt?.toISOString() ?? null,
    completedAt: task.completedAt?.toISOString() ?? null,
    attachments: (task.attachments ?? []).map(toAttachmentResponse),
    version: task.version,
    createdAt: task.createdAt.toISOString(),
    updatedAt: task.updatedAt.toISOString(),
  };
}

export function toAttachmentResponse({ id, filename, contentType, size, state }: Attachment): AttachmentResponseDto {
  return { id: String(id), filename, contentType, size, state };
}

export function toTaskChangeResponse({ _id, at, actor, changes }: TaskChange): TaskChangeResponseDto {
  return { id: String(_id), at: at.toISOString(), actorId: String(actor), changes };
}

export function fromPriority(priority: TaskPriority): number {
  return TASK_PRIORITIES.indexOf(priority);
}

export function toPriority(position: number): TaskPriority {
  return TASK_PRIORITIES[position] as TaskPriority;
}
