import { Body, Controller, Delete, Get, Header, HttpCode, Param, Post, Redirect, Res } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { CurrentUser, type Principal } from '../../common/auth/principal.js';
import { AllowApiKeys } from '../../common/auth/scopes.js';
import { IdPipe } from '../../common/http/id.pipe.js';
import { ApiLocation } from '../../common/openapi/api-headers.js';
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
  @ApiLocation()
  @ApiProblems('LIMIT_REACHED')
  @IdempotentWhileRunning()
  @Post()
  async createAttachment(
    @CurrentUser() user: Principal,
    @Param('id', IdPipe) id: string,
    @Body() body: CreateAttachmentDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AttachmentUploadResponseDto> {
    const created = await this.attachments.create(user.userId, id, body);
    void reply.header('Location', `/api/v1/tasks/${id}/attachments/${created.attachment.id}`);
    return created;
  }

  /** Say that a file has been uploaded; answered once the store has it, of the size and type that were announced. */
  @ApiProblems('UPLOAD_INCOMPLETE')
  @HttpCode(200)
  @Post(':attachmentId/complete')
  completeAttachment(
    @CurrentUser() user: Principal,
    @Param('id', IdPipe) id: string,
    @Param('attachmentId', IdPipe) attachmentId: string,
  ): Promise<CompletedAttachmentResponseDto> {
    return this.attachments.complete(user.userId, id, attachmentId);
  }

  /** Download a file: leads to a URL that works for five minutes. */
  @ApiProblems('UPLOAD_INCOMPLETE')
  @ApiResponse({
    status: 302,
    description: 'Where the file is',
    headers: { Location: { description: 'A presigned URL', schema: { type: 'string', format: 'uri' } } },
  })
  @Header('Cache-Control', 'no-store')
  @Redirect()
  @Get(':attachmentId')
  async getAttachment(
    @CurrentUser() user: Principal,
    @Param('id', IdPipe) id: string,
    @Param('attachmentId', IdPipe) attachmentId: string,
  ): Promise<{ url: string }> {
    return { url: await this.attachments.getDownloadUrl(user.userId, id, attachmentId) };
  }

  /** Remove a file from a task. */
  @HttpCode(204)
  @Delete(':attachmentId')
  deleteAttachment(
    @CurrentUser() user: Principal,
    @Param('id', IdPipe) id: string,
    @Param('attachmentId', IdPipe) attachmentId: string,
  ): Promise<void> {
    return this.attachments.delete(user.userId, id, attachmentId);
  }
}
