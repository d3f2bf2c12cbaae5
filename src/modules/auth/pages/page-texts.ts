import type { Language } from '../../../common/pages/choose-language.js';

export type PageName = 'verify-email' | 'reset-password';

/** What a page says. The script takes all that it shows from `messages`, so that it needs no language itself. */
export interface PageTexts {
  title: string;
  intro: string;
  button: string;
  messages: Record<'busy' | 'done' | 'invalidToken' | 'missingToken' | 'tooMany' | 'failed', string>;
}

export interface PasswordTexts {
  label: string;
  hint: string;
  messages: Record<'tooShort' | 'tooLong' | 'refused', string>;
}

interface Texts {
  noScript: string;
  showPassword: string;
  passwords: Record<PageName, PasswordTexts>;
  pages: Record<PageName, PageTexts>;
}

export const TEXTS: Record<Language, Texts> = {
  en: {
    noScript: 'This page needs JavaScript: please allow it for this site and load the page again.',
    showPassword: 'Show password',
    passwords: {
      'verify-email': {
        label: 'Password of the account',
        hint: 'If you have not set up this account, close this page.',
        messages: {
          tooShort: 'Please enter the password of the account.',
          tooLong: 'This is not the password of the account.',
          refused: 'This is not the password of the account.',
        },
      },
      'reset-password': {
        label: 'New password',
        hint: '10 to 128 characters. Several words that have nothing to do with each other make a good password.',
        messages: {
          tooShort: 'Please use at least 10 characters.',
          tooLong: 'Please use at most 128 characters.',
          refused:
            'This password is too easy to guess. Please choose one that has nothing to do with you and that nobody else uses.',
        },
      },
    },
    pages: {
      'verify-email': {
        title: 'Confirm your email address',
        intro: 'Enter your password to confirm that this address is yours.',
        button: 'Confirm my address',
        messages: {
          busy: 'Confirming…',
          done: 'Thank you, your address is confirmed. You can close this page.',
          invalidToken: 'This link has expired or was used before. Log in and ask for a new one.',
          missingToken: 'This link is incomplete. Please open the link in the mail again, or copy all of it.',
          tooMany: 'Too many attempts. Please wait a few minutes, then try again.',
          failed: 'That did not work. Please check your connection and try again.',
        },
      },
      'reset-password': {
        title: 'Choose a new password',
        intro: 'You will be logged out everywhere and can log in with the new password.',
        button: 'Save new password',
        messages: {
          busy: 'Saving…',
          done: 'Your new password is saved. You can close this page and log in.',
          invalidToken: 'This link has expired or was used before. Ask for a new one where you log in.',
          missingToken: 'This link is incomplete. Please open the link in the mail again, or copy all of it.',
          tooMany: 'Too many attempts. Please wait a few minutes, then try again.',
          failed: 'That did not work. Please check your connection and try again.',
        },
      },
    },
  },
  de: {
    noScript: 'Diese Seite braucht JavaScript: Bitte erlauben Sie es für diese Website und laden Sie die Seite neu.',
    showPassword: 'Passwort anzeigen',
    passwords: {
      'verify-email': {
        label: 'Passwort des Kontos',
        hint: 'Haben Sie dieses Konto nicht angelegt, schließen Sie diese Seite.',
        messages: {
          tooShort: 'Bitte geben Sie das Passwort des Kontos ein.',
          tooLong: 'Das ist nicht das Passwort des Kontos.',
          refused: 'Das ist nicht das Passwort des Kontos.',
        },
      },
      'reset-password': {
        label: 'Neues Passwort',
        hint: '10 bis 128 Zeichen. Gut sind mehrere Wörter, die nichts miteinander zu tun haben.',
        messages: {
          tooShort: 'Bitte verwenden Sie mindestens 10 Zeichen.',
          tooLong: 'Bitte verwenden Sie höchstens 128 Zeichen.',
          refused:
            'Dieses Passwort ist zu leicht zu erraten. Bitte wählen Sie eines, das nichts mit Ihnen zu tun hat und das sonst niemand benutzt.',
        },
      },
    },
    pages: {
      'verify-email': {
        title: 'E-Mail-Adresse bestätigen',
        intro: 'Geben Sie Ihr Passwort ein, um zu bestätigen, dass diese Adresse Ihnen gehört.',
        button: 'Adresse bestätigen',
        messages: {
          busy: 'Wird bestätigt…',
          done: 'Danke, Ihre Adresse ist bestätigt. Sie können diese Seite schließen.',
          invalidToken:
            'Dieser Link ist abgelaufen oder wurde schon benutzt. Melden Sie sich an und fordern Sie einen neuen an.',
          missingToken:
            'Dieser Link ist unvollständig. Bitte öffnen Sie den Link in der E-Mail noch einmal oder kopieren Sie ihn ganz.',
          tooMany: 'Zu viele Versuche. Bitte warten Sie einige Minuten und versuchen Sie es dann noch einmal.',
          failed: 'Das hat nicht geklappt. Bitte prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal.',
        },
      },
      'reset-password': {
        title: 'Neues Passwort wählen',
        intro: 'Sie werden überall abgemeldet und können sich mit dem neuen Passwort anmelden.',
        button: 'Neues Passwort speichern',
        messages: {
          busy: 'Wird gespeichert…',
          done: 'Ihr neues Passwort ist gespeichert. Sie können diese Seite schließen und sich anmelden.',
          invalidToken:
            'Dieser Link ist abgelaufen oder wurde schon benutzt. Fordern Sie dort, wo Sie sich anmelden, einen neuen an.',
          missingToken:
            'Dieser Link ist unvollständig. Bitte öffnen Sie den Link in der E-Mail noch einmal oder kopieren Sie ihn ganz.',
          tooMany: 'Zu viele Versuche. Bitte warten Sie einige Minuten und versuchen Sie es dann noch einmal.',
          failed: 'Das hat nicht geklappt. Bitte prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal.',
        },
      },
    },
  },
};
