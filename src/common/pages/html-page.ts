import { readFileSync } from 'node:fs';
import { applyDecorators, Header } from '@nestjs/common';

/** How all pages look. */
export const PAGE_STYLES = readFileSync(new URL('./page.css', import.meta.url), 'utf8');

/** What a page may do: with a script of its own it calls the service, without one it posts its form. */
function policy(scripts: boolean): string {
  return [
    "default-src 'none'",
    ...(scripts ? ["script-src 'self'", "connect-src 'self'", "form-action 'none'"] : ["form-action 'self'"]),
    "style-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** The handler answers with a page for people. */
export const HtmlPage = ({ scripts }: { scripts: boolean }) =>
  applyDecorators(
    Header('Content-Type', 'text/html; charset=utf-8'),
    Header('Content-Security-Policy', policy(scripts)),
    Header('Cache-Control', 'no-store'),
    Header('Vary', 'Origin, Accept-Language'),
  );

/** The handler answers with something that a page needs. */
export const PageAsset = (contentType: string) =>
  applyDecorators(
    Header('Content-Type', `${contentType}; charset=utf-8`),
    // After a deployment the page and its script must fit together.
    Header('Cache-Control', 'no-cache'),
  );
