import type { NotificationEvent } from '../../contracts/notification-events.js';

/** A message in the words of the inbox and of mails. */
export interface NotificationText {
  title: string;
  body: string;
}

/**
 * What is sent so far. `account.email-change` goes by mail alone and can't be muted, so it isn't among the events that
 * preferences know.
 */
export type SentEvent =
  | Extract<
      NotificationEvent,
      | 'task.completed'
      | 'account.new-login'
      | 'account.password-changed'
      | 'account.mfa-changed'
      | 'account.email-verification'
      | 'account.password-reset'
    >
  | 'account.email-change';

type Texts = Record<SentEvent, (data: Record<string, string>) => NotificationText>;

const ENGLISH: Texts = {
  'task.completed': ({ title }) => ({ title: 'Task completed', body: `“${title}” is done.` }),
  'account.new-login': ({ startedAt, userAgent, ip }) => ({
    title: 'New log-in to your account',
    body: `Somebody logged in at ${startedAt} from ${ip} with ${userAgent || 'an unknown client'}. If that wasn't you, change your password.`,
  }),
  'account.password-changed': ({ changedAt }) => ({
    title: 'Your password was changed',
    body: `The password of your account was changed at ${changedAt}. If that wasn't you, reset it at once.`,
  }),
  'account.mfa-changed': ({ enabled, changedAt }) => ({
    title: enabled === 'true' ? 'Second factor turned on' : 'Second factor turned off',
    body: `The second factor of your account was turned ${enabled === 'true' ? 'on' : 'off'} at ${changedAt}. If that wasn't you, change your password.`,
  }),
  'account.email-verification': () => ({
    title: 'Confirm your email address',
    body: 'Follow the link to confirm that this address is yours. If you have not asked for this, ignore this mail.',
  }),
  'account.password-reset': () => ({
    title: 'Reset your password',
    body: 'Follow the link within an hour to set a new password. If you have not asked for this, ignore this mail.',
  }),
  'account.email-change': ({ newEmail }) => ({
    title: 'Your email address is about to change',
    body: `Somebody asked to change the address of your account to ${newEmail}. It changes once that address is confirmed. If that wasn't you, change your password now.`,
  }),
};

const GERMAN: Texts = {
  'task.completed': ({ title }) => ({ title: 'Aufgabe erledigt', body: `„${title}“ ist erledigt.` }),
  'account.new-login': ({ startedAt, userAgent, ip }) => ({
    title: 'Neue Anmeldung bei Ihrem Konto',
    body: `Am ${startedAt} hat sich jemand von ${ip} mit ${userAgent || 'einem unbekannten Programm'} angemeldet. Waren das nicht Sie, ändern Sie Ihr Passwort.`,
  }),
  'account.password-changed': ({ changedAt }) => ({
    title: 'Ihr Passwort wurde geändert',
    body: `Das Passwort Ihres Kontos wurde am ${changedAt} geändert. Waren das nicht Sie, setzen Sie es sofort zurück.`,
  }),
  'account.mfa-changed': ({ enabled, changedAt }) => ({
    title: enabled === 'true' ? 'Zweiter Faktor eingeschaltet' : 'Zweiter Faktor ausgeschaltet',
    body: `Der zweite Faktor Ihres Kontos wurde am ${changedAt} ${enabled === 'true' ? 'eingeschaltet' : 'ausgeschaltet'}. Waren das nicht Sie, ändern Sie Ihr Passwort.`,
  }),
  'account.email-verification': () => ({
    title: 'Bestätigen Sie Ihre E-Mail-Adresse',
    body: 'Folgen Sie dem Link, um zu bestätigen, dass diese Adresse Ihnen gehört. Haben Sie das nicht verlangt, beachten Sie diese Nachricht nicht.',
  }),
  'account.password-reset': () => ({
    title: 'Setzen Sie Ihr Passwort zurück',
    body: 'Folgen Sie innerhalb einer Stunde dem Link, um ein neues Passwort zu setzen. Haben Sie das nicht verlangt, beachten Sie diese Nachricht nicht.',
  }),
  'account.email-change': ({ newEmail }) => ({
    title: 'Ihre E-Mail-Adresse soll geändert werden',
    body: `Jemand hat verlangt, die Adresse Ihres Kontos auf ${newEmail} zu ändern. Sie ändert sich, sobald jene bestätigt ist. Waren das nicht Sie, ändern Sie jetzt Ihr Passwort.`,
  }),
};

export const GREETINGS: Record<Language, (name: string | undefined) => string> = {
  en: (name) => (name ? `Hello ${name},` : 'Hello,'),
  de: (name) => (name ? `Hallo ${name},` : 'Hallo,'),
};

const TEXTS = { en: ENGLISH, de: GERMAN };
export type Language = keyof typeof TEXTS;

/** @param locale BCP 47; English where its language isn't spoken here */
export function languageOf(locale: string | undefined): Language {
  const [language = ''] = (locale ?? '').toLowerCase().split('-');
  return language in TEXTS ? (language as Language) : 'en';
}

export function textOf(event: SentEvent, data: Record<string, string>, language: Language): NotificationText {
  return TEXTS[language][event](data);
}
