import { PASSWORD_MAX_LENGTH, PASSWORD_MIN_LENGTH } from '../is-allowed-password.js';
import type { Language } from '../../../common/pages/choose-language.js';
import { type PageName, type PasswordTexts, TEXTS } from './page-texts.js';

const ENDPOINTS: Record<PageName, string> = {
  'verify-email': 'api/v1/auth/email/verify',
  'reset-password': 'api/v1/auth/password/reset',
};

/**
 * The page as HTML. All addresses in it are relative, so that it also works under a path of `PUBLIC_URL`. It has no
 * script and no style of its own, which a policy without `unsafe-inline` forbids.
 */
export function renderPage(page: PageName, language: Language): string {
  const { noScript, password, pages } = TEXTS[language];
  const { title, intro, button, messages } = pages[page];
  const asksPassword = page === 'reset-password';
  const spoken = { ...messages, ...(asksPassword ? password.messages : {}) };
  return `<!doctype html>
<html lang="${language}">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <meta name="color-scheme" content="light dark">
    <title>${title}</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="${page}/page.css">
    <script src="${page}/page.js" defer></script>
  </head>
  <body>
    <main>
      <h1>${title}</h1>
      <p>${intro}</p>
      <noscript><p class="problem">${noScript}</p></noscript>
      <form method="post" data-endpoint="${ENDPOINTS[page]}" novalidate hidden>
${asksPassword ? passwordField(password) : ''}        <button type="submit">${button}</button>
      </form>
      <p id="status" role="status" tabindex="-1"></p>
${Object.entries(spoken)
  .map(([name, message]) => `      <template data-message="${name}">${message}</template>\n`)
  .join('')}    </main>
  </body>
</html>
`;
}

function passwordField({ label, hint, show }: PasswordTexts): string {
  return `        <label for="password">${label}</label>
        <input id="password" type="password" autocomplete="new-password" autocapitalize="none" spellcheck="false"
          required minlength="${PASSWORD_MIN_LENGTH}" data-maxlength="${PASSWORD_MAX_LENGTH}"
          aria-describedby="password-hint password-problem">
        <p id="password-hint" class="hint">${hint}</p>
        <p id="password-problem" class="problem" aria-live="polite"></p>
        <label class="toggle"><input id="show-password" type="checkbox" aria-controls="password"> ${show}</label>
`;
}
