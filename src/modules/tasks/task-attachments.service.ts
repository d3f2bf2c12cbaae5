import { Injectable } from '@nestjs/common';
import { Types } from 'mongoose';
import { databaseDate } from '../../platform/database/database-clock.js';
import { ObjectStorage, UPLOADS_END_MS } from '../../platform/storage/object-storage.js';
import { toUploadResponse } from '../../platform/storage/upload-response.dto.js';
import type { CreateAttachmentDto } from './dto/attachment-requests.dto.js';
import type { AttachmentUploadResponseDto, CompletedAttachmentResponseDto } from './dto/attachment-response.dto.js';
import { type Attachment, attachmentPath } from './schemas/attachment.schema.js';
import type { Task } from './schemas/task.schema.js';
import { toAttachmentResponse } from './task.mapper.js';
import { TaskStore } from './task-store.js';
import { AttachmentIncompleteError, AttachmentNotFoundError, TooManyAttachmentsError } from './tasks.errors.js';

const MAX_ATTACHMENTS = 20;

/** Files of tasks: who may upload and fetch which; the store and the client see to the rest. */
@Injectable()
export class TaskAttachmentsService {
  constructor(
    private readonly store: TaskStore,
    private readonly storage: ObjectStorage,
  ) {}

  /** @throws TaskNotFoundError, TooManyAttachmentsError, StorageQuotaExceededError, DependencyUnavailableError */
  async create(userId: string, taskId: string, input: CreateAttachmentDto): Promise<AttachmentUploadResponseDto> {
    const { filename, contentType, size } = input;
    const attachment: Attachment = { id: new Types.ObjectId(), filename, contentType, size, state: 'pending' };
    const path = attachmentPath(userId, taskId, attachment.id);
    const upload = await this.storage.presignUpload({ key: path.join('/'), contentType, size });
    await this.store.change(userId, [taskId], (writes) => {
      writes.modify(taskId, ({ attachments = [] }) => {
        if (attachments.length >= MAX_ATTACHMENTS) throw new TooManyAttachmentsError(MAX_ATTACHMENTS);
        return { attachments: [...attachments, attachment] };
      });
      writes.uploads.push({ path, size });
      writes.removals.push({ path, dueAt: databaseDate(UPLOADS_END_MS) });
    });
    return { attachment: toAttachmentResponse(attachment), ...toUploadResponse(upload) };
  }

  /** @throws TaskNotFoundError, AttachmentNotFoundError, UploadIncompleteError, DependencyUnavailableError */
  async complete(userId: string, taskId: string, id: string): Promise<CompletedAttachmentResponseDto> {
    const attachment = await this.get(userId, taskId, id);
    if (attachment.state === 'pending') {
      const { contentType, size } = attachment;
      await this.storage.assertUploaded({ key: attachmentPath(userId, taskId, id).join('/'), contentType, size });
      await this.store.change(userId, [taskId], (writes) => writes.modify(taskId, (task) => completed(task, id)));
    }
    return { attachment: toAttachmentResponse({ ...attachment, state: 'complete' }) };
  }

  /** @throws TaskNotFoundError, AttachmentNotFoundError, AttachmentIncompleteError, DependencyUnavailableError */
  async getDownloadUrl(userId: string, taskId: string, id: string): Promise<string> {
    const { state, filename } = await this.get(userId, taskId, id);
    if (state === 'pending') throw new AttachmentIncompleteError();
    return await this.storage.presignDownload(attachmentPath(userId, taskId, id).join('/'), filename);
  }

  /** @throws TaskNotFoundError, AttachmentNotFoundError */
  async delete(userId: string, taskId: string, id: string): Promise<void> {
    await this.store.change(userId, [taskId], (writes) => {
      writes.modify(taskId, (task) => {
        findAttachment(task, id);
        return { attachments: task.attachments?.filter((each) => String(each.id) !== id) };
      });
      writes.uploadableRemovals.push(attachmentPath(userId, taskId, id));
    });
  }

  private async get(userId: string, taskId: string, id: string): Promise<Attachment> {
    return findAttachment(await this.store.get(userId, taskId), id);
  }
}

function findAttachment({ attachments = [] }: Task, id: string): Attachment {
  const attachment = attachments.find((each) => String(each.id) === id);
  if (!attachment) throw new AttachmentNotFoundError();
  return attachment;
}

/** What changes when an upload is completed: nothing where it was already. */
function completed(task: Task, id: string): Partial<Task> {
  const attachment = findAttachment(task, id);
  if (attachment.state === 'complete') return {};
  const complete: Attachment = { ...attachment, state: 'complete' };
  return { attachments: task.attachments?.map((each) => (each === attachment ? complete : each)) };
}
