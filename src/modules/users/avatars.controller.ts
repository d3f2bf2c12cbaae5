import { Body, Controller, Get, Header, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentUser, type Principal, Public } from '../../common/auth/principal.js';
import { AllowApiKeys } from '../../common/auth/scopes.js';
import { Conditional } from '../../common/http/conditional.decorator.js';
import type { Precondition } from '../../common/http/etag.js';
import { Redirects } from '../../common/http/location.decorators.js';
import { Versioned } from '../../common/http/versioned.decorator.js';
import { IdPipe } from '../../common/http/id.pipe.js';
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

  /**
   * Begin the upload of your picture.
   *
   * @remarks Answers a URL that takes one file of the announced type and size. When the file is uploaded, call `POST
   * /api/v1/users/me/avatar/complete`. If your storage quota is used up, the answer is 409 `LIMIT_REACHED`.
   */
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
   * Finish the upload of your picture.
   *
   * @remarks Checks the uploaded file and shows it in place of the old picture. A file that is missing, or has another
   * size or type, is 409 `UPLOAD_INCOMPLETE`. The `ETag` is the new one of your profile.
   */
  @Versioned()
  @ApiProblems('UPLOAD_INCOMPLETE')
  @HttpCode(200)
  @Post('me/avatar/complete')
  completeAvatar(
    @CurrentUser() user: Principal,
    @Conditional() precondition: Precondition,
  ): Promise<AvatarResponseDto> {
    return this.avatars.complete(user.userId, precondition);
  }

  /**
   * Show the picture of a user.
   *
   * @remarks The target of `avatarUrl`: redirects to the image. Public, because an image in a page sends no token. A
   * picture that was replaced is 404. The rate limit is ten times the general one.
   * @param avatarId The last part of `avatarUrl`.
   */
  @Redirects('Where the picture is')
  @Public()
  // A page shows many pictures; browsers keep where each of them is.
  @SeparateRateLimit(PICTURES)
  // Less than the URL lives that it leads to.
  @Header('Cache-Control', 'private, max-age=240')
  @Header('Cross-Origin-Resource-Policy', 'cross-origin')
  @HttpCode(302)
  @Get(':id/avatar/:avatarId')
  async getAvatar(@Param('id', IdPipe) id: string, @Param('avatarId') avatarId: string): Promise<{ url: string }> {
    return { url: await this.avatars.getPictureUrl(id, avatarId) };
  }
}
