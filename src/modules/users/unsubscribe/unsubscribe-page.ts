import type { Language } from '../../../common/pages/choose-language.js';
import { renderHtml } from '../../../common/pages/html-page.js';

/** Before the button is pressed, after it, and where the address is not a whole one. */
export type UnsubscribeStep = 'ask' | 'done' | 'invalid';

interface Texts {
  title: string;
  button: string;
  steps: Record<UnsubscribeStep, string>;
}

const TEXTS: Record<Language, Texts> = {
  en: {
    title: 'Notifications by mail',
    button: 'No more of these mails',
    steps: {
      ask: 'One press, and you get no more notifications by mail. Mails about the safety of your account still come.',
      done: 'You get no more notifications by mail. You can turn them on again in your preferences.',
      invalid: 'This link is incomplete. Please open the link in the mail again, or copy all of it.',
    },
  },
  de: {
    title: 'Benachrichtigungen per E-Mail',
    button: 'Keine solchen E-Mails mehr',
    steps: {
      ask: 'Ein Klick, und Sie bekommen keine Benachrichtigungen per E-Mail mehr. E-Mails zur Sicherheit Ihres Kontos kommen weiterhin.',
      done: 'Sie bekommen keine Benachrichtigungen per E-Mail mehr. In Ihren Einstellungen können Sie sie wieder einschalten.',
      invalid:
        'Dieser Link ist unvollständig. Bitte öffnen Sie den Link in der E-Mail noch einmal oder kopieren Sie ihn ganz.',
    },
  },
};

/** The page as HTML; its form goes to the address that the page itself has, token included. */
export function renderUnsubscribePage(step: UnsubscribeStep, language: Language): string {
  const { title, button, steps } = TEXTS[language];
  const form = `      <form method="post"><button type="submit">${button}</button></form>\n`;
  const content = `      <p${step === 'invalid' ? ' class="problem"' : ''}>${steps[step]}</p>\n${step === 'ask' ? form : ''}`;
  return renderHtml({ language, title, content, scripts: false });
}
