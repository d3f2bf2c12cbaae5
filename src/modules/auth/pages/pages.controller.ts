import { Controller, Get, Headers, Query, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { SkipThrottle } from '@nestjs/throttler';
import { Public } from '../../../common/auth/principal.js';
import { chooseLanguage } from '../../../common/pages/choose-language.js';
import { HtmlPage } from '../../../common/pages/html-page.js';
import { renderPage } from './render-page.js';

/**
 * The pages that mails link to, for clients that have none of their own. The token stands behind the `#` and is not
 * sent here. Mail programs like to add parameters of their own to links, so a query is let pass, and ignored.
 */
@ApiExcludeController()
@Public()
@SkipThrottle({ general: true, strict: true })
@Controller({ version: VERSION_NEUTRAL })
export class PagesController {
  @HtmlPage({ scripts: true })
  @Get('verify-email')
  getVerifyEmail(@Headers('accept-language') languages: string | undefined, @Query() _query: object): string {
    return renderPage('verify-email', chooseLanguage(languages));
  }

  @HtmlPage({ scripts: true })
  @Get('reset-password')
  getResetPassword(@Headers('accept-language') languages: string | undefined, @Query() _query: object): string {
    return renderPage('reset-password', chooseLanguage(languages));
  }
}
