import { Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentUser, type SessionPrincipal } from '../../common/auth/principal.js';
import { type Client, CurrentClient } from '../../common/http/client.js';
import { Conditional } from '../../common/http/conditional.decorator.js';
import type { Precondition } from '../../common/http/etag.js';
import { IdPipe } from '../../common/http/id.pipe.js';
import { wholeList } from '../../common/pagination/page.dto.js';
import { toSessionResponse } from './auth.mapper.js';
import { SessionListResponseDto } from './dto/list-responses.dto.js';
import { LogoutService } from './logout.service.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('Auth')
@Controller('auth')
export class SessionsController {
  constructor(
    private readonly sessions: SessionsService,
    private readonly logouts: LogoutService,
  ) {}

  /**
   * End this session.
   *
   * @remarks Every instance rejects its access and refresh tokens within one second. Your other sessions continue.
   */
  @HttpCode(204)
  @Post('logout')
  logout(@CurrentUser() user: SessionPrincipal, @CurrentClient() client: Client): Promise<void> {
    return this.logouts.endCurrent(user, client);
  }

  /**
   * End all your sessions.
   *
   * @remarks Includes this one. Every instance rejects their tokens within one second. API keys keep working.
   */
  @HttpCode(204)
  @Post('logout-all')
  logoutAll(@CurrentUser() user: SessionPrincipal, @CurrentClient() client: Client): Promise<void> {
    return this.logouts.endAll(user.userId, client);
  }

  /**
   * List your sessions.
   *
   * @remarks One entry per log-in that has not ended, with client, address and last use; `current` marks the session of
   * this request. The list is complete: it has no further pages.
   */
  @Get('sessions')
  async listSessions(@CurrentUser() user: SessionPrincipal): Promise<SessionListResponseDto> {
    const sessions = await this.sessions.list(user.userId);
    return wholeList(sessions.map((session) => toSessionResponse(session, user.sessionId)));
  }

  /**
   * End one of your sessions.
   *
   * @remarks Every instance rejects its tokens within one second. A session that has ended already is 404.
   */
  @HttpCode(204)
  @Delete('sessions/:id')
  endSession(
    @CurrentUser() user: SessionPrincipal,
    @Param('id', IdPipe) id: string,
    @CurrentClient() client: Client,
    @Conditional() precondition: Precondition,
  ): Promise<void> {
    return this.logouts.end(user.userId, id, client, precondition);
  }
}
