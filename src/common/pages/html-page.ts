import { applyDecorators, Header } from '@nestjs/common';
import type { Language } from './choose-language.js';
import { staticUrl } from './static-files.js';

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

interface PageParts {
  language: Language;
  title: string;
  /** HTML, behind the heading. */
  content: string;
  /** Whether the page needs `page.js`. */
  scripts: boolean;
  /** How many folders the page is below `PUBLIC_URL`. Default 0. */
  depth?: number;
}

/** The page as HTML. It has no script and no style of its own, which a policy without `unsafe-inline` forbids. */
export function renderHtml({ language, title, content, scripts, depth }: PageParts): string {
  return `<!doctype html>
<html lang="${language}">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <meta name="color-scheme" content="light dark">
    <title>${title}</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="${staticUrl('page.css', depth)}">
${scripts ? `    <script src="${staticUrl('page.js', depth)}" defer></script>\n` : ''}  </head>
  <body>
    <main>
      <h1>${title}</h1>
${content}    </main>
  </body>
</html>
`;
}
