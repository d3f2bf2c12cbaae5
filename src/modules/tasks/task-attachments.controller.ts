import { Body, Controller, Delete, Get, Header, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentUser, type Principal } from '../../common/auth/principal.js';
import { AllowApiKeys } from '../../common/auth/scopes.js';
import { Conditional } from '../../common/http/conditional.decorator.js';
import type { HasVersion, Precondition } from '../../common/http/etag.js';
import { Created, Redirects } from '../../common/http/location.decorators.js';
import { Versioned } from '../../common/http/versioned.decorator.js';
import { IdPipe } from '../../common/http/id.pipe.js';
import { ApiProblems } from '../../common/openapi/api-problems.js';
import { IdempotentWhileRunning } from '../../platform/idempotency/idempotency.interceptor.js';
import { CreateAttachmentDto } from './dto/attachment-requests.dto.js';
import { AttachmentUploadResponseDto, CompletedAttachmentResponseDto } from './dto/attachment-response.dto.js';
import { TaskAttachmentsService } from './task-attachments.service.js';

@ApiTags('Tasks')
@AllowApiKeys('tasks')
@Controller('tasks/:id/attachments')
export class TaskAttachmentsController {
  constructor(private readonly attachments: TaskAttachmentsService) {}

  /**
   * Begin the upload of a file to a task.
   *
   * @remarks Answers a URL that takes one file of the announced type and size. When the file is uploaded, complete the
   * attachment; one that is not completed within a day disappears. A 21st file, or one beyond your storage quota, is 409
   * `LIMIT_REACHED`. The `ETag` is the new one of the task.
   */
  @Created<AttachmentUploadResponseDto>(({ attachment }, { id }) => `/api/v1/tasks/${id}/attachments/${attachment.id}`)
  @Versioned()
  @ApiProblems('LIMIT_REACHED')
  @IdempotentWhileRunning()
  @Post()
  createAttachment(
    @CurrentUser() user: Principal,
    @Param('id', IdPipe) id: string,
    @Body() body: CreateAttachmentDto,
    @Conditional() precondition: Precondition,
  ): Promise<AttachmentUploadResponseDto> {
    return this.attachments.create(user.userId, id, body, precondition);
  }

  /**
   * Finish the upload of a file.
   *
   * @remarks Checks that the file has the announced size and type; from then on it can be downloaded. Otherwise the
   * answer is 409 `UPLOAD_INCOMPLETE`. The `ETag` is the new one of the task. A second call changes nothing.
   */
  @Versioned()
  @ApiProblems('UPLOAD_INCOMPLETE')
  @HttpCode(200)
  @Post(':attachmentId/complete')
  completeAttachment(
    @CurrentUser() user: Principal,
    @Param('id', IdPipe) id: string,
    @Param('attachmentId', IdPipe) attachmentId: string,
    @Conditional() precondition: Precondition,
  ): Promise<CompletedAttachmentResponseDto> {
    return this.attachments.complete(user.userId, id, attachmentId, precondition);
  }

  /**
   * Download a file of a task.
   *
   * @remarks Redirects to a URL that is valid for five minutes. A file whose upload is not complete is 409
   * `UPLOAD_INCOMPLETE`. `ETag` and conditions refer to the task.
   */
  @Versioned()
  @ApiProblems('UPLOAD_INCOMPLETE')
  @Redirects('Where the file is')
  @Header('Cache-Control', 'no-store')
  @HttpCode(302)
  @Get(':attachmentId')
  getAttachment(
    @CurrentUser() user: Principal,
    @Param('id', IdPipe) id: string,
    @Param('attachmentId', IdPipe) attachmentId: string,
  ): Promise<{ url: string; version: number }> {
    return this.attachments.getDownload(user.userId, id, attachmentId);
  }

  /**
   * Remove a file from a task.
   *
   * @remarks The file is deleted and cannot be restored. The `ETag` is the new one of the task.
   */
  @Versioned()
  @HttpCode(204)
  @Delete(':attachmentId')
  deleteAttachment(
    @CurrentUser() user: Principal,
    @Param('id', IdPipe) id: string,
    @Param('attachmentId', IdPipe) attachmentId: string,
    @Conditional() precondition: Precondition,
  ): Promise<HasVersion> {
    return this.attachments.delete(user.userId, id, attachmentId, precondition);
  }
}
