import { readFileSync } from 'node:fs';
import { applyDecorators, Controller, Get, Header, Headers, Query, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { SkipThrottle } from '@nestjs/throttler';
import { Public } from '../../../common/auth/principal.js';
import { chooseLanguage } from './choose-language.js';
import { renderPage } from './render-page.js';

const script = readFileSync(new URL('./page.js', import.meta.url), 'utf8');
const styles = readFileSync(new URL('./page.css', import.meta.url), 'utf8');

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HtmlPage = () =>
  applyDecorators(
    Header('Content-Type', 'text/html; charset=utf-8'),
    Header('Content-Security-Policy', POLICY),
    Header('Cache-Control', 'no-store'),
    Header('Vary', 'Origin, Accept-Language'),
  );

const Asset = (contentType: string) =>
  applyDecorators(
    Header('Content-Type', `${contentType}; charset=utf-8`),
    // After a deployment the page and its script must fit together.
    Header('Cache-Control', 'no-cache'),
  );

/**
 * The pages that mails link to, for clients that have none of their own. The token stands behind the `#` and is not
 * sent here. Mail programs like to add parameters of their own to links, so a query is let pass, and ignored.
 */
@ApiExcludeController()
@Public()
@SkipThrottle({ general: true, strict: true })
@Controller({ version: VERSION_NEUTRAL })
export class PagesController {
  @HtmlPage()
  @Get('verify-email')
  getVerifyEmail(@Headers('accept-language') languages: string | undefined, @Query() _query: object): string {
    return renderPage('verify-email', chooseLanguage(languages));
  }

  @HtmlPage()
  @Get('reset-password')
  getResetPassword(@Headers('accept-language') languages: string | undefined, @Query() _query: object): string {
    return renderPage('reset-password', chooseLanguage(languages));
  }

  @Asset('text/javascript')
  @Get(['verify-email/page.js', 'reset-password/page.js'])
  getScript(): string {
    return script;
  }

  @Asset('text/css')
  @Get(['verify-email/page.css', 'reset-password/page.css'])
  getStyles(): string {
    return styles;
  }
}
