import { GREETINGS, type Language, type NotificationText } from '../notification-texts.js';

interface Options {
  language: Language;
  /** Whom to greet; nobody in particular where it is left out. */
  name?: string | undefined;
  /** Where the button leads; no button where it is left out. */
  link?: string | undefined;
}

/** A mail in plain text and in HTML that says the same. */
export function renderEmail({ title, body }: NotificationText, { language, name, link }: Options) {
  const greeting = GREETINGS[language](name);
  return {
    subject: title,
    text: [greeting, body, ...(link ? [link] : [])].join('\n\n') + '\n',
    html: `<!doctype html>
<html lang="${language}">
  <head><meta charset="utf-8"><title>${escapeHtml(title)}</title></head>
  <body style="font-family: sans-serif; max-width: 36em; margin: 2em auto; padding: 0 1em; line-height: 1.5">
    <h1 style="font-size: 1.3em">${escapeHtml(title)}</h1>
    <p>${escapeHtml(greeting)}</p>
    <p>${escapeHtml(body)}</p>${link ? `\n    <p><a href="${escapeHtml(link)}">${escapeHtml(link)}</a></p>` : ''}
  </body>
</html>
`,
  };
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}
