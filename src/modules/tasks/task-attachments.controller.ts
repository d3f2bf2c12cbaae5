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

  /** Get a URL to upload a file of a task to; the upload is to be completed afterwards. */
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

  /** Say that a file has been uploaded; answered once the store has it, of the size and type that were announced. */
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

  /** Download a file: leads to a URL that works for five minutes. Conditions are about the task. */
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

  /** Remove a file from a task. */
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
