import { Body, Controller, Get, Header, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { CurrentUser, type Principal, Public } from '../../common/auth/principal.js';
import { AllowApiKeys } from '../../common/auth/scopes.js';
import { Conditional, type Precondition, replyWithEtag } from '../../common/http/etag.js';
import { IdPipe } from '../../common/http/id.pipe.js';
import { ApiConditionalWrite, ApiConditions } from '../../common/openapi/api-headers.js';
import { ApiProblems } from '../../common/openapi/api-problems.js';
import { IdempotentWhileRunning } from '../../platform/idempotency/idempotency.interceptor.js';
import { SeparateRateLimit } from '../../platform/throttling/rate-limit.guard.js';
import { UploadResponseDto } from '../../platform/storage/upload-response.dto.js';
import { AvatarsService } from './avatars.service.js';
import { AvatarResponseDto, CreateAvatarDto } from './dto/avatar.dto.js';

/** How many times the general limit. */
const PICTURES = 10;

@ApiTags('Users')
@AllowApiKeys('users')
@Controller('users')
export class AvatarsController {
  constructor(private readonly avatars: AvatarsService) {}

  /** Get a URL to upload your picture to; the upload is to be completed afterwards. */
  @ApiConditions()
  @ApiProblems('LIMIT_REACHED')
  @IdempotentWhileRunning()
  @Post('me/avatar')
  createAvatar(
    @CurrentUser() user: Principal,
    @Body() body: CreateAvatarDto,
    @Conditional() precondition: Precondition,
  ): Promise<UploadResponseDto> {
    return this.avatars.create(user.userId, body, precondition);
  }

  /**
   * Say that your picture has been uploaded; from then on it is shown in place of the last one. The `ETag` is your profile's.
   */
  @ApiConditionalWrite()
  @ApiProblems('UPLOAD_INCOMPLETE')
  @HttpCode(200)
  @Post('me/avatar/complete')
  async completeAvatar(
    @CurrentUser() user: Principal,
    @Conditional() precondition: Precondition,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AvatarResponseDto> {
    const { version, body } = await this.avatars.complete(user.userId, precondition);
    return replyWithEtag(reply, version, body);
  }

  /**
   * Show a picture: where `avatarUrl` leads.
   *
   * For everybody who has the URL, as an image in a page sends no token. Leads to where the picture is.
   */
  @ApiResponse({
    status: 302,
    description: 'Where the picture is',
    headers: { Location: { description: 'A presigned URL', schema: { type: 'string', format: 'uri' } } },
  })
  @Public()
  // A page shows many pictures; browsers keep where each of them is.
  @SeparateRateLimit(PICTURES)
  // Less than the URL lives that it leads to.
  @Header('Cache-Control', 'private, max-age=240')
  @Header('Cross-Origin-Resource-Policy', 'cross-origin')
  @HttpCode(302)
  @Get(':id/avatar/:avatarId')
  async getAvatar(
    @Param('id', IdPipe) id: string,
    @Param('avatarId') avatarId: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    void reply.header('Location', await this.avatars.getPictureUrl(id, avatarId));
  }
}
