import { PASSWORD_MAX_LENGTH, PASSWORD_MIN_LENGTH } from '../is-allowed-password.js';
import type { Language } from '../../../common/pages/choose-language.js';
import { renderHtml } from '../../../common/pages/html-page.js';
import { type PageName, type PasswordTexts, TEXTS } from './page-texts.js';

const ENDPOINTS: Record<PageName, string> = {
  'verify-email': 'api/v1/auth/email/verify',
  'reset-password': 'api/v1/auth/password/reset',
};

/** The page as HTML. Its addresses are relative, so that it also works under a path of `PUBLIC_URL`. */
export function renderPage(page: PageName, language: Language): string {
  const { noScript, password, pages } = TEXTS[language];
  const { title, intro, button, messages } = pages[page];
  const asksPassword = page === 'reset-password';
  const spoken = { ...messages, ...(asksPassword ? password.messages : {}) };
  const content = `      <p>${intro}</p>
      <noscript><p class="problem">${noScript}</p></noscript>
      <form method="post" data-endpoint="${ENDPOINTS[page]}" novalidate hidden>
${asksPassword ? passwordField(password) : ''}        <button type="submit">${button}</button>
      </form>
      <p id="status" role="status" tabindex="-1"></p>
${Object.entries(spoken)
  .map(([name, message]) => `      <template data-message="${name}">${message}</template>\n`)
  .join('')}`;
  return renderHtml({ language, title, content, scripts: true });
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
