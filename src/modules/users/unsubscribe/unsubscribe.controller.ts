import { Controller, Get, Headers, Post, Query, Res, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { SkipThrottle } from '@nestjs/throttler';
import type { FastifyReply } from 'fastify';
import { Public } from '../../../common/auth/principal.js';
import { SecretBox } from '../../../common/crypto/secret-box.js';
import { userOfUnsubscribeToken } from '../../../common/crypto/unsubscribe-link.js';
import { chooseLanguage } from '../../../common/pages/choose-language.js';
import { HtmlPage } from '../../../common/pages/html-page.js';
import { UsersService } from '../users.service.js';
import { renderUnsubscribePage } from './unsubscribe-page.js';

/**
 * Ends notifications by mail for everybody who has a signed link from a mail. Mail programs post here when their button is
 * pressed (RFC 8058); people who follow the link get a page with a button, because malware scanners open links. There is no rate
 * limit: a mail provider may send the requests of many users from one address, and without a valid signature nothing happens.
 */
@ApiExcludeController()
@Public()
@SkipThrottle({ general: true, strict: true })
@Controller({ version: VERSION_NEUTRAL })
export class UnsubscribeController {
  constructor(
    private readonly users: UsersService,
    private readonly box: SecretBox,
  ) {}

  /** Parameters that mail programs add to links are ignored. */
  @HtmlPage({ scripts: false })
  @Get('unsubscribe')
  getPage(
    @Query() query: Record<string, unknown>,
    @Headers('accept-language') languages: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): string {
    const step = this.userOf(query) === null ? 'invalid' : 'ask';
    if (step === 'invalid') void reply.status(400);
    return renderUnsubscribePage(step, chooseLanguage(languages));
  }

  @HtmlPage({ scripts: false })
  @Post('unsubscribe')
  async unsubscribe(
    @Query() query: Record<string, unknown>,
    @Headers('accept-language') languages: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const userId = this.userOf(query);
    if (userId !== null) await this.users.endEmails(userId);
    void reply.status(userId === null ? 400 : 200);
    return renderUnsubscribePage(userId === null ? 'invalid' : 'done', chooseLanguage(languages));
  }

  private userOf({ token }: Record<string, unknown>): string | null {
    return typeof token === 'string' ? userOfUnsubscribeToken(this.box, token) : null;
  }
}
