import { PASSWORD_MAX_LENGTH } from '../../../common/validation/password.js';
import { PASSWORD_MIN_LENGTH } from '../is-allowed-password.js';
import type { Language } from '../../../common/pages/choose-language.js';
import { renderHtml } from '../../../common/pages/html-page.js';
import { type PageName, type PasswordTexts, TEXTS } from './page-texts.js';

const ENDPOINTS: Record<PageName, string> = {
  'verify-email': 'api/v1/auth/email/verify',
  'reset-password': 'api/v1/auth/password/reset',
};

/** The password that each page asks for: of the account, or a new one. */
const PASSWORDS: Record<PageName, { autocomplete: string; minLength: number }> = {
  'verify-email': { autocomplete: 'current-password', minLength: 1 },
  'reset-password': { autocomplete: 'new-password', minLength: PASSWORD_MIN_LENGTH },
};

/** The page as HTML. Its addresses are relative, so that it also works under a path of `PUBLIC_URL`. */
export function renderPage(page: PageName, language: Language): string {
  const { noScript, showPassword, passwords, pages } = TEXTS[language];
  const { title, intro, button, messages } = pages[page];
  const password = passwords[page];
  const spoken = { ...messages, ...password.messages };
  const content = `      <p>${intro}</p>
      <noscript><p class="problem">${noScript}</p></noscript>
      <form method="post" data-endpoint="${ENDPOINTS[page]}" novalidate hidden>
${passwordField(page, password, showPassword)}        <button type="submit">${button}</button>
      </form>
      <p id="status" role="status" tabindex="-1"></p>
${Object.entries(spoken)
  .map(([name, message]) => `      <template data-message="${name}">${message}</template>\n`)
  .join('')}`;
  return renderHtml({ language, title, content, scripts: true });
}

function passwordField(page: PageName, { label, hint }: PasswordTexts, show: string): string {
  const { autocomplete, minLength } = PASSWORDS[page];
  return `        <label for="password">${label}</label>
        <input id="password" type="password" autocomplete="${autocomplete}" autocapitalize="none" spellcheck="false"
          required minlength="${minLength}" data-maxlength="${PASSWORD_MAX_LENGTH}"
          aria-describedby="password-hint password-problem">
        <p id="password-hint" class="hint">${hint}</p>
        <p id="password-problem" class="problem" aria-live="polite"></p>
        <label class="toggle"><input id="show-password" type="checkbox" aria-controls="password"> ${show}</label>
`;
}
