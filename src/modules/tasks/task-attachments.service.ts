import { Injectable } from '@nestjs/common';
import { Types } from 'mongoose';
import { assertMatches, type Precondition } from '../../common/http/etag.js';
import { databaseDate } from '../../platform/database/database-clock.js';
import { ObjectStorage, UPLOADS_END_MS } from '../../platform/storage/object-storage.js';
import { toUploadResponse } from '../../platform/storage/upload-response.dto.js';
import type { CreateAttachmentDto } from './dto/attachment-requests.dto.js';
import type { AttachmentUploadResponseDto, CompletedAttachmentResponseDto } from './dto/attachment-response.dto.js';
import { type Attachment, attachmentPath } from './schemas/attachment.schema.js';
import type { Task } from './schemas/task.schema.js';
import { toAttachmentResponse } from './task.mapper.js';
import { AttachmentIncompleteError, AttachmentNotFoundError, TooManyAttachmentsError } from './tasks.errors.js';
import { TasksRepository } from './tasks.repository.js';
import { TasksService } from './tasks.service.js';

const MAX_ATTACHMENTS = 20;

/** Files of tasks: who may upload and fetch which; the store and the client see to the rest. */
@Injectable()
export class TaskAttachmentsService {
  constructor(
    private readonly repository: TasksRepository,
    private readonly tasks: TasksService,
    private readonly storage: ObjectStorage,
  ) {}

  /**
   * @param precondition on the task, as in the other methods
   * @throws TaskNotFoundError, TooManyAttachmentsError, StorageQuotaExceededError, VersionMismatchError,
   * DependencyUnavailableError
   */
  async create(
    userId: string,
    taskId: string,
    input: CreateAttachmentDto,
    precondition: Precondition,
  ): Promise<AttachmentUploadResponseDto> {
    const { filename, contentType, size } = input;
    const attachment: Attachment = { id: new Types.ObjectId(), filename, contentType, size, state: 'pending' };
    const path = attachmentPath(userId, taskId, attachment.id);
    const upload = await this.storage.presignUpload({ key: path.join('/'), contentType, size });
    const add = ({ attachments = [] }: Task) => {
      if (attachments.length >= MAX_ATTACHMENTS) throw new TooManyAttachmentsError(MAX_ATTACHMENTS);
      return { attachments: [...attachments, attachment] };
    };
    const { version } = await this.tasks.change(userId, [taskId], (changes) => {
      const task = changes.update(taskId, add, precondition);
      changes.uploads.push({ path, size });
      changes.removals.push({ path, dueAt: databaseDate(UPLOADS_END_MS) });
      return task;
    });
    return { attachment: toAttachmentResponse(attachment), version, ...toUploadResponse(upload) };
  }

  /**
   * @throws TaskNotFoundError, AttachmentNotFoundError, UploadIncompleteError, VersionMismatchError,
   * DependencyUnavailableError
   */
  async complete(
    userId: string,
    taskId: string,
    id: string,
    precondition: Precondition,
  ): Promise<CompletedAttachmentResponseDto> {
    const before = await this.repository.get(userId, taskId);
    const attachment = findAttachment(before, id);
    assertMatches(precondition, before);
    if (attachment.state === 'complete') {
      return { attachment: toAttachmentResponse(attachment), version: before.version };
    }
    const { contentType, size } = attachment;
    await this.storage.assertUploaded({ key: attachmentPath(userId, taskId, id).join('/'), contentType, size });
    const { version } = await this.tasks.change(userId, [taskId], (changes) =>
      changes.update(taskId, (task) => completed(task, id), precondition),
    );
    return { attachment: toAttachmentResponse({ ...attachment, state: 'complete' }), version };
  }

  /**
   * @returns the URL, and the version of the task
   * @throws TaskNotFoundError, AttachmentNotFoundError, AttachmentIncompleteError, DependencyUnavailableError
   */
  async getDownload(userId: string, taskId: string, id: string): Promise<{ url: string; version: number }> {
    const task = await this.repository.get(userId, taskId);
    const { state, filename } = findAttachment(task, id);
    if (state === 'pending') throw new AttachmentIncompleteError();
    const url = await this.storage.presignDownload(attachmentPath(userId, taskId, id).join('/'), filename);
    return { url, version: task.version };
  }

  /** @returns the task without it. @throws TaskNotFoundError, AttachmentNotFoundError, VersionMismatchError */
  async delete(userId: string, taskId: string, id: string, precondition: Precondition): Promise<Task> {
    const remove = (task: Task) => {
      findAttachment(task, id);
      return { attachments: task.attachments?.filter((each) => String(each.id) !== id) };
    };
    return await this.tasks.change(userId, [taskId], (changes) => {
      const task = changes.update(taskId, remove, precondition);
      changes.uploadableRemovals.push(attachmentPath(userId, taskId, id));
      return task;
    });
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
