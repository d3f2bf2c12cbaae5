import { Body, Controller, Delete, Get, Header, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { CurrentUser, type Principal } from '../../common/auth/principal.js';
import { AllowApiKeys } from '../../common/auth/scopes.js';
import { Conditional, type Precondition, replyWithEtag } from '../../common/http/etag.js';
import { IdPipe } from '../../common/http/id.pipe.js';
import {
  ApiConditionalRead,
  ApiConditionalWrite,
  ApiConditions,
  ApiCreated,
} from '../../common/openapi/api-headers.js';
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
  @ApiConditions()
  @ApiCreated()
  @ApiProblems('LIMIT_REACHED')
  @IdempotentWhileRunning()
  @Post()
  async createAttachment(
    @CurrentUser() user: Principal,
    @Param('id', IdPipe) id: string,
    @Body() body: CreateAttachmentDto,
    @Conditional() precondition: Precondition,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AttachmentUploadResponseDto> {
    const created = await this.attachments.create(user.userId, id, body, precondition);
    void reply.header('Location', `/api/v1/tasks/${id}/attachments/${created.attachment.id}`);
    return replyWithEtag(reply, created.version, created);
  }

  /** Say that a file has been uploaded; answered once the store has it, of the size and type that were announced. */
  @ApiConditionalWrite()
  @ApiProblems('UPLOAD_INCOMPLETE')
  @HttpCode(200)
  @Post(':attachmentId/complete')
  async completeAttachment(
    @CurrentUser() user: Principal,
    @Param('id', IdPipe) id: string,
    @Param('attachmentId', IdPipe) attachmentId: string,
    @Conditional() precondition: Precondition,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CompletedAttachmentResponseDto> {
    const completed = await this.attachments.complete(user.userId, id, attachmentId, precondition);
    return replyWithEtag(reply, completed.version, completed);
  }

  /** Download a file: leads to a URL that works for five minutes. Conditions are about the task. */
  @ApiConditionalRead()
  @ApiProblems('UPLOAD_INCOMPLETE')
  @ApiResponse({
    status: 302,
    description: 'Where the file is',
    headers: { Location: { description: 'A presigned URL', schema: { type: 'string', format: 'uri' } } },
  })
  @Header('Cache-Control', 'no-store')
  @HttpCode(302)
  @Get(':attachmentId')
  async getAttachment(
    @CurrentUser() user: Principal,
    @Param('id', IdPipe) id: string,
    @Param('attachmentId', IdPipe) attachmentId: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { url, version } = await this.attachments.getDownload(user.userId, id, attachmentId);
    void reply.header('Location', replyWithEtag(reply, version, url));
  }

  /** Remove a file from a task. */
  @ApiConditionalWrite()
  @HttpCode(204)
  @Delete(':attachmentId')
  async deleteAttachment(
    @CurrentUser() user: Principal,
    @Param('id', IdPipe) id: string,
    @Param('attachmentId', IdPipe) attachmentId: string,
    @Conditional() precondition: Precondition,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { version } = await this.attachments.delete(user.userId, id, attachmentId, precondition);
    replyWithEtag(reply, version, undefined);
  }
}
