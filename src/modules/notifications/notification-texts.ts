import type { NotificationEvent } from '../../contracts/notification-events.js';

/** A message in the words of the inbox and of mails. */
export interface NotificationText {
  title: string;
  body: string;
}

/** What is sent: what the inbox and preferences know, and what goes out by one channel alone and can't be muted. */
export type SentEvent = NotificationEvent | 'account.email-change' | 'account.phone-verification';

/** Such messages ignore the preferences. */
export function isAboutAccount(event: SentEvent): boolean {
  return event.startsWith('account.');
}

/** Notices of log-ins: an attacker who knows the password can cause any number of them. */
export function isLogIn(event: SentEvent): boolean {
  return event === 'account.new-login';
}

/** How the reader writes; English and UTC where it isn't known. */
export interface Reader {
  /** BCP 47 */
  locale?: string | undefined;
  /** IANA name */
  timezone?: string | undefined;
}

type Data = Record<string, string>;
/** @param when writes a time as the reader does */
type Text = (data: Data, when: (time: string | undefined) => string) => NotificationText;
type Texts = Record<SentEvent, Text>;

type When = (time: string | undefined) => string;

/** What a password reset has left in the account, so that its owner can remove what another person has set up. */
function remainingInEnglish({ mfa, mfaSince, phone, phoneSince, browsers, browserSince }: Data, when: When): string {
  const since = (time: string | undefined) => (time ? ` (since ${when(time)})` : '');
  const parts = [
    ...(mfa ? [`a second factor${since(mfaSince)}`] : []),
    ...(phone ? [`a phone number that ends in ${phone}${since(phoneSince)}`] : []),
    ...(browsers
      ? [
          `browsers that get notifications: ${browsers}${browserSince ? ` (the latest since ${when(browserSince)})` : ''}`,
        ]
      : []),
  ];
  return parts.length > 0 ? ` Still set up: ${parts.join('; ')}. Remove what you don't know.` : '';
}

function remainingInGerman({ mfa, mfaSince, phone, phoneSince, browsers, browserSince }: Data, when: When): string {
  const since = (time: string | undefined) => (time ? ` (seit ${when(time)})` : '');
  const parts = [
    ...(mfa ? [`ein zweiter Faktor${since(mfaSince)}`] : []),
    ...(phone ? [`eine Telefonnummer, die auf ${phone} endet${since(phoneSince)}`] : []),
    ...(browsers
      ? [
          `Browser, die Benachrichtigungen erhalten: ${browsers}${browserSince ? ` (zuletzt seit ${when(browserSince)})` : ''}`,
        ]
      : []),
  ];
  return parts.length > 0 ? ` Weiterhin eingerichtet: ${parts.join('; ')}. Entfernen Sie, was Sie nicht kennen.` : '';
}

const ENGLISH: Texts = {
  'task.reminder': ({ title, dueDate }, when) => ({
    title: 'Reminder',
    body: dueDate ? `“${title}” is due at ${when(dueDate)}.` : `You wanted to be reminded of “${title}”.`,
  }),
  'task.overdue': ({ title, dueDate }, when) => ({
    title: 'Task overdue',
    body: `“${title}” was due at ${when(dueDate)}.`,
  }),
  'digest.daily': ({ count }) => ({
    title: 'Your daily digest',
    body: count === '1' ? 'One notification since the last digest:' : `${count} notifications since the last digest:`,
  }),
  'account.phone-verification': ({ code }) => ({
    title: 'Confirm your phone number',
    body: `${code} is your code to confirm this phone number. It is good for ten minutes.`,
  }),
  'task.completed': ({ title }) => ({ title: 'Task completed', body: `“${title}” is done.` }),
  'account.new-login': ({ startedAt, userAgent, ip }, when) => ({
    title: 'New log-in to your account',
    body: `Somebody logged in at ${when(startedAt)} from ${ip} with ${userAgent || 'an unknown client'}. If that wasn't you, change your password.`,
  }),
  'account.password-changed': ({ changedAt, ...remaining }, when) => ({
    title: 'Your password was changed',
    body: `The password of your account was changed at ${when(changedAt)}. If that wasn't you, reset it at once.${remainingInEnglish(remaining, when)}`,
  }),
  'account.mfa-changed': ({ enabled, changedAt }, when) => ({
    title: enabled === 'true' ? 'Second factor turned on' : 'Second factor turned off',
    body: `The second factor of your account was turned ${enabled === 'true' ? 'on' : 'off'} at ${when(changedAt)}. If that wasn't you, change your password.`,
  }),
  'account.api-key-created': ({ name, createdAt, expiresAt, userAgent, ip }, when) =>
    createdAt
      ? {
          title: 'New API key',
          body: `The API key “${name}” was created at ${when(createdAt)} from ${ip} with ${userAgent || 'an unknown client'}. It expires at ${when(expiresAt)}. If that wasn't you, change your password.`,
        }
      : { title: 'An API key expires', body: `Your API key “${name}” expires at ${when(expiresAt)}.` },
  'account.email-verification': ({ movesAccount }) =>
    movesAccount
      ? {
          title: 'Confirm the new address of an account',
          body: 'Follow the link to move an existing account to this address. You need to be logged in to that account, or to know its password. If you have not asked for this, ignore this mail: the account is somebody else’s.',
        }
      : {
          title: 'Confirm your email address',
          body: 'Follow the link to confirm that this address is yours. You need to be logged in, or the password of the account. If you have not asked for this, ignore this mail.',
        },
  'account.password-reset': () => ({
    title: 'Reset your password',
    body: 'Follow the link within an hour to set a new password. If you have not asked for this, ignore this mail.',
  }),
  'account.email-change': ({ newEmail }) => ({
    title: 'Your email address is about to change',
    body: `Somebody asked to move this account to the address ${newEmail}. It moves once that address is confirmed. If that wasn't you, change your password now.`,
  }),
};

const GERMAN: Texts = {
  'task.reminder': ({ title, dueDate }, when) => ({
    title: 'Erinnerung',
    body: dueDate ? `„${title}“ ist am ${when(dueDate)} fällig.` : `Sie wollten an „${title}“ erinnert werden.`,
  }),
  'task.overdue': ({ title, dueDate }, when) => ({
    title: 'Aufgabe überfällig',
    body: `„${title}“ war am ${when(dueDate)} fällig.`,
  }),
  'digest.daily': ({ count }) => ({
    title: 'Ihre tägliche Zusammenfassung',
    body:
      count === '1'
        ? 'Eine Benachrichtigung seit der letzten Zusammenfassung:'
        : `${count} Benachrichtigungen seit der letzten Zusammenfassung:`,
  }),
  'account.phone-verification': ({ code }) => ({
    title: 'Bestätigen Sie Ihre Telefonnummer',
    body: `${code} ist Ihr Code, um diese Telefonnummer zu bestätigen. Er gilt zehn Minuten.`,
  }),
  'task.completed': ({ title }) => ({ title: 'Aufgabe erledigt', body: `„${title}“ ist erledigt.` }),
  'account.new-login': ({ startedAt, userAgent, ip }, when) => ({
    title: 'Neue Anmeldung bei Ihrem Konto',
    body: `Am ${when(startedAt)} hat sich jemand von ${ip} mit ${userAgent || 'einem unbekannten Programm'} angemeldet. Waren das nicht Sie, ändern Sie Ihr Passwort.`,
  }),
  'account.password-changed': ({ changedAt, ...remaining }, when) => ({
    title: 'Ihr Passwort wurde geändert',
    body: `Das Passwort Ihres Kontos wurde am ${when(changedAt)} geändert. Waren das nicht Sie, setzen Sie es sofort zurück.${remainingInGerman(remaining, when)}`,
  }),
  'account.mfa-changed': ({ enabled, changedAt }, when) => ({
    title: enabled === 'true' ? 'Zweiter Faktor eingeschaltet' : 'Zweiter Faktor ausgeschaltet',
    body: `Der zweite Faktor Ihres Kontos wurde am ${when(changedAt)} ${enabled === 'true' ? 'eingeschaltet' : 'ausgeschaltet'}. Waren das nicht Sie, ändern Sie Ihr Passwort.`,
  }),
  'account.api-key-created': ({ name, createdAt, expiresAt, userAgent, ip }, when) =>
    createdAt
      ? {
          title: 'Neuer API-Schlüssel',
          body: `Der API-Schlüssel „${name}“ wurde am ${when(createdAt)} von ${ip} mit ${userAgent || 'einem unbekannten Programm'} erstellt. Er läuft am ${when(expiresAt)} ab. Waren das nicht Sie, ändern Sie Ihr Passwort.`,
        }
      : { title: 'Ein API-Schlüssel läuft ab', body: `Ihr API-Schlüssel „${name}“ läuft am ${when(expiresAt)} ab.` },
  'account.email-verification': ({ movesAccount }) =>
    movesAccount
      ? {
          title: 'Bestätigen Sie die neue Adresse eines Kontos',
          body: 'Folgen Sie dem Link, um ein bestehendes Konto auf diese Adresse umzustellen. Dazu müssen Sie bei diesem Konto angemeldet sein oder sein Passwort kennen. Haben Sie das nicht verlangt, beachten Sie diese Nachricht nicht: Das Konto gehört jemand anderem.',
        }
      : {
          title: 'Bestätigen Sie Ihre E-Mail-Adresse',
          body: 'Folgen Sie dem Link, um zu bestätigen, dass diese Adresse Ihnen gehört. Dazu müssen Sie angemeldet sein oder das Passwort des Kontos eingeben. Haben Sie das nicht verlangt, beachten Sie diese Nachricht nicht.',
        },
  'account.password-reset': () => ({
    title: 'Setzen Sie Ihr Passwort zurück',
    body: 'Folgen Sie innerhalb einer Stunde dem Link, um ein neues Passwort zu setzen. Haben Sie das nicht verlangt, beachten Sie diese Nachricht nicht.',
  }),
  'account.email-change': ({ newEmail }) => ({
    title: 'Ihre E-Mail-Adresse soll geändert werden',
    body: `Jemand hat verlangt, dieses Konto auf die Adresse ${newEmail} umzustellen. Das geschieht, sobald jene bestätigt ist. Waren das nicht Sie, ändern Sie jetzt Ihr Passwort.`,
  }),
};

export const GREETINGS: Record<Language, (name: string | undefined) => string> = {
  en: (name) => (name ? `Hello ${name},` : 'Hello,'),
  de: (name) => (name ? `Hallo ${name},` : 'Hallo,'),
};

export const UNSUBSCRIBE_HINTS: Record<Language, string> = {
  en: 'No more of these mails',
  de: 'Keine solchen E-Mails mehr',
};

const TEXTS = { en: ENGLISH, de: GERMAN };
export type Language = keyof typeof TEXTS;

/** @param locale BCP 47; English where its language isn't spoken here */
export function languageOf(locale: string | undefined): Language {
  const [language = ''] = (locale ?? '').toLowerCase().split('-');
  return language in TEXTS ? (language as Language) : 'en';
}

/** @param data what the event says; times in RFC 3339 */
export function textOf(event: SentEvent, data: Data, { locale, timezone = 'UTC' }: Reader): NotificationText {
  const language = languageOf(locale);
  const format = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'short', timeZone: timezone });
  const when = (time: string | undefined) => (time ? `${format.format(new Date(time))} (${timezone})` : '–');
  return TEXTS[language][event](data, when);
}
