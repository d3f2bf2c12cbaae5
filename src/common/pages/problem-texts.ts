import type { ProblemCode } from '../errors/problem.js';
import type { Language } from './choose-language.js';

/** What happened, and what the reader can do, for each problem. */
export interface ProblemText {
  happened: string;
  remedy: string;
}

type Texts = Record<ProblemCode, Record<Language, ProblemText>>;

const text = (happened: string, remedy: string): ProblemText => ({ happened, remedy });

/** The pages of problems. The compiler misses a code that has none. */
export const PROBLEM_TEXTS: Texts = {
  VALIDATION_FAILED: {
    en: text(
      'A field of the body, or a parameter, has a value that is not allowed, or is not known.',
      'Each entry of <code>errors</code> names a field and what is wrong with it. Correct them and send the request again.',
    ),
    de: text(
      'Ein Feld des Inhalts oder ein Parameter hat einen Wert, der nicht erlaubt ist, oder ist nicht bekannt.',
      'Jeder Eintrag in <code>errors</code> nennt ein Feld und den Fehler. Berichtigen Sie sie und senden Sie die Anfrage erneut.',
    ),
  },
  MALFORMED_BODY: {
    en: text('The body is not JSON in valid UTF-8.', 'Send JSON, with <code>Content-Type: application/json</code>.'),
    de: text(
      'Der Inhalt ist kein JSON in gültigem UTF-8.',
      'Senden Sie JSON mit <code>Content-Type: application/json</code>.',
    ),
  },
  BAD_REQUEST: {
    en: text(
      'The message breaks a rule of HTTP.',
      'Look at how the client writes its requests; <code>detail</code> names the rule.',
    ),
    de: text(
      'Die Nachricht verletzt eine Regel von HTTP.',
      'Prüfen Sie, wie der Client Anfragen schreibt; <code>detail</code> nennt die Regel.',
    ),
  },
  INVALID_TOKEN: {
    en: text(
      'The token of a link or a code has expired, was used before, or belongs to another account.',
      'Ask for a new mail or code.',
    ),
    de: text(
      'Der Link oder Code ist abgelaufen, wurde schon benutzt oder gehört zu einem anderen Konto.',
      'Fordern Sie eine neue Mail oder einen neuen Code an.',
    ),
  },
  UNAUTHENTICATED: {
    en: text(
      'The request has no access token or API key that is valid, or the session has ended.',
      'Refresh the access token once; if that is refused too, log in again.',
    ),
    de: text(
      'Die Anfrage hat kein gültiges Zugriffstoken und keinen gültigen API-Schlüssel, oder die Sitzung ist beendet.',
      'Erneuern Sie das Zugriffstoken einmal; wird auch das abgelehnt, melden Sie sich neu an.',
    ),
  },
  TOKEN_EXPIRED: {
    en: text(
      'Access tokens last 15 minutes; this one is older.',
      'Exchange the refresh token for new ones, and send the request again.',
    ),
    de: text(
      'Zugriffstoken gelten 15 Minuten; dieses ist älter.',
      'Tauschen Sie das Refresh-Token gegen neue und senden Sie die Anfrage erneut.',
    ),
  },
  INVALID_CREDENTIALS: {
    en: text(
      'The password or the code is wrong, or there is no such account.',
      'Try again, or reset the password. Many failures lock the account for a while.',
    ),
    de: text(
      'Passwort oder Code ist falsch, oder es gibt kein solches Konto.',
      'Versuchen Sie es erneut oder setzen Sie das Passwort zurück. Viele Fehlversuche sperren das Konto eine Zeit lang.',
    ),
  },
  MFA_REQUIRED: {
    en: text(
      'The password was right, and the account has a second factor.',
      'Send <code>mfaToken</code> with a code to <code>/auth/login/mfa</code> within five minutes.',
    ),
    de: text(
      'Das Passwort war richtig, und das Konto hat einen zweiten Faktor.',
      'Senden Sie <code>mfaToken</code> mit einem Code binnen fünf Minuten an <code>/auth/login/mfa</code>.',
    ),
  },
  REFRESH_TOKEN_REUSED: {
    en: text(
      'The refresh token had been exchanged before. Somebody may have stolen it, so the session has ended.',
      'Log in again. If you did not share the token, change the password.',
    ),
    de: text(
      'Das Refresh-Token wurde schon eingetauscht. Vielleicht wurde es gestohlen, daher ist die Sitzung beendet.',
      'Melden Sie sich neu an. Wenn Sie das Token nicht geteilt haben, ändern Sie das Passwort.',
    ),
  },
  FORBIDDEN: {
    en: text(
      'The role of the account, or a scope of the API key, does not allow this.',
      'Ask an administrator for the role, or create a key with the scope that <code>detail</code> names.',
    ),
    de: text(
      'Die Rolle des Kontos oder der Umfang des API-Schlüssels erlaubt dies nicht.',
      'Bitten Sie eine Administratorin um die Rolle, oder legen Sie einen Schlüssel mit dem genannten Umfang an.',
    ),
  },
  EMAIL_UNVERIFIED: {
    en: text(
      'This needs an address that has been confirmed.',
      'Follow the link in the mail, or ask for another one by <code>/auth/email/resend</code>.',
    ),
    de: text(
      'Dafür muss die Adresse bestätigt sein.',
      'Folgen Sie dem Link in der Mail, oder fordern Sie mit <code>/auth/email/resend</code> eine neue an.',
    ),
  },
  STEP_UP_REQUIRED: {
    en: text(
      'This changes how the account is protected, so a session alone is not enough.',
      'Send what <code>methods</code> names with the request: the password, a code, or both; or log in again where the list is empty.',
    ),
    de: text(
      'Dies ändert, wie das Konto geschützt ist; eine Sitzung allein genügt nicht.',
      'Senden Sie mit, was <code>methods</code> nennt: Passwort, Code oder beides; ist die Liste leer, melden Sie sich neu an.',
    ),
  },
  ACCOUNT_SUSPENDED: {
    en: text(
      'An administrator has suspended the account. No data has been deleted.',
      'Write to those who run the service.',
    ),
    de: text(
      'Das Konto wurde gesperrt. Es wurden keine Daten gelöscht.',
      'Wenden Sie sich an den Betreiber des Dienstes.',
    ),
  },
  NOT_FOUND: {
    en: text(
      'There is nothing at this address, or it belongs to somebody else.',
      'Check the address and the id. What was deleted is also not found.',
    ),
    de: text(
      'Unter dieser Adresse ist nichts, oder es gehört jemand anderem.',
      'Prüfen Sie Adresse und Id. Auch Gelöschtes wird nicht gefunden.',
    ),
  },
  METHOD_NOT_ALLOWED: {
    en: text(
      'There is something at this address, but not for this method.',
      'The header <code>Allow</code> lists the methods.',
    ),
    de: text(
      'Unter dieser Adresse ist etwas, aber nicht für diese Methode.',
      'Der Header <code>Allow</code> nennt die Methoden.',
    ),
  },
  REQUEST_TIMEOUT: {
    en: text(
      'The request did not arrive completely in time.',
      'Send it again, over a better connection if it is large.',
    ),
    de: text(
      'Die Anfrage kam nicht rechtzeitig vollständig an.',
      'Senden Sie sie erneut, große über eine bessere Verbindung.',
    ),
  },
  EMAIL_TAKEN: {
    en: text('There is an account with this address.', 'Log in, or reset the password.'),
    de: text('Mit dieser Adresse gibt es ein Konto.', 'Melden Sie sich an, oder setzen Sie das Passwort zurück.'),
  },
  LIMIT_REACHED: {
    en: text('You have as many of these as are allowed.', 'Remove one that is not needed any more.'),
    de: text('Sie haben so viele davon, wie erlaubt sind.', 'Entfernen Sie etwas, das nicht mehr gebraucht wird.'),
  },
  REQUEST_IN_PROGRESS: {
    en: text(
      'A request with the same <code>Idempotency-Key</code> is still running.',
      'Wait a moment and send it again: you get the answer of the first.',
    ),
    de: text(
      'Eine Anfrage mit demselben <code>Idempotency-Key</code> läuft noch.',
      'Warten Sie kurz und senden Sie sie erneut: Sie erhalten die Antwort der ersten.',
    ),
  },
  UPLOAD_INCOMPLETE: {
    en: text(
      'The file has not arrived, or has another size or type than was announced.',
      'Send the content to <code>uploadUrl</code> again, then complete it.',
    ),
    de: text(
      'Die Datei ist nicht angekommen oder hat eine andere Größe oder Art als angekündigt.',
      'Senden Sie den Inhalt erneut an <code>uploadUrl</code> und schließen Sie dann ab.',
    ),
  },
  OWN_ACCOUNT: {
    en: text('Administrators can not do this to their own account.', 'Ask another administrator.'),
    de: text('Mit dem eigenen Konto geht das nicht.', 'Bitten Sie eine andere Administratorin.'),
  },
  LAST_ADMIN: {
    en: text(
      'This is the last administrator; without one, nobody could manage the service.',
      'Make somebody else administrator first.',
    ),
    de: text(
      'Dies ist das letzte Administratorkonto; ohne könnte niemand den Dienst verwalten.',
      'Machen Sie zuerst jemand anderen zur Administratorin.',
    ),
  },
  VERSION_MISMATCH: {
    en: text(
      'The resource has changed since it was read. Nothing was written.',
      'Read it again, decide what to keep, and send the new <code>ETag</code> in <code>If-Match</code>.',
    ),
    de: text(
      'Die Ressource hat sich seit dem Lesen geändert. Es wurde nichts geschrieben.',
      'Lesen Sie sie neu, entscheiden Sie, was bleibt, und senden Sie das neue <code>ETag</code> in <code>If-Match</code>.',
    ),
  },
  PAYLOAD_TOO_LARGE: {
    en: text('The body is larger than is allowed.', 'Send less at once; files go to the address of their upload.'),
    de: text(
      'Der Inhalt ist größer als erlaubt.',
      'Senden Sie weniger auf einmal; Dateien gehen an ihre Upload-Adresse.',
    ),
  },
  URI_TOO_LONG: {
    en: text('The address is longer than is allowed.', 'Use fewer or shorter filters.'),
    de: text('Die Adresse ist länger als erlaubt.', 'Nutzen Sie weniger oder kürzere Filter.'),
  },
  UNSUPPORTED_MEDIA_TYPE: {
    en: text('The body has a type, charset or coding that is not read here.', 'Send JSON in UTF-8, not compressed.'),
    de: text(
      'Art, Zeichensatz oder Kodierung des Inhalts wird hier nicht gelesen.',
      'Senden Sie JSON in UTF-8, unkomprimiert.',
    ),
  },
  RANGE_NOT_SATISFIABLE: {
    en: text('The file is shorter than the part that was asked for.', '<code>Content-Range</code> has its size.'),
    de: text('Die Datei ist kürzer als der verlangte Teil.', '<code>Content-Range</code> nennt ihre Größe.'),
  },
  EXPECTATION_FAILED: {
    en: text(
      'The request has an <code>Expect</code> that is not known.',
      'Leave the header out, or send <code>100-continue</code>.',
    ),
    de: text(
      'Die Anfrage hat ein unbekanntes <code>Expect</code>.',
      'Lassen Sie den Header weg, oder senden Sie <code>100-continue</code>.',
    ),
  },
  IDEMPOTENCY_KEY_REUSED: {
    en: text(
      'The <code>Idempotency-Key</code> was sent with another request before.',
      'Use a new key for each new request, and the same one for its repetition alone.',
    ),
    de: text(
      'Der <code>Idempotency-Key</code> wurde schon mit einer anderen Anfrage gesendet.',
      'Nutzen Sie für jede neue Anfrage einen neuen Schlüssel, denselben nur für die Wiederholung.',
    ),
  },
  ACCOUNT_LOCKED: {
    en: text(
      'There were too many wrong passwords or codes.',
      'Wait as long as <code>Retry-After</code> says, or reset the password. Sessions go on.',
    ),
    de: text(
      'Es gab zu viele falsche Passwörter oder Codes.',
      'Warten Sie so lange, wie <code>Retry-After</code> sagt, oder setzen Sie das Passwort zurück. Sitzungen laufen weiter.',
    ),
  },
  UPGRADE_REQUIRED: {
    en: text('This address speaks WebSocket.', 'Open it with a WebSocket client.'),
    de: text('Diese Adresse spricht WebSocket.', 'Öffnen Sie sie mit einem WebSocket-Client.'),
  },
  RATE_LIMITED: {
    en: text(
      'There were more requests than are allowed in this time.',
      'Wait as long as <code>Retry-After</code> says. <code>RateLimit-Remaining</code> says how many are left.',
    ),
    de: text(
      'Es gab mehr Anfragen, als in dieser Zeit erlaubt sind.',
      'Warten Sie so lange, wie <code>Retry-After</code> sagt. <code>RateLimit-Remaining</code> nennt den Rest.',
    ),
  },
  HEADERS_TOO_LARGE: {
    en: text('The headers are larger than is allowed.', 'Send fewer or shorter ones, cookies for instance.'),
    de: text('Die Header sind größer als erlaubt.', 'Senden Sie weniger oder kürzere, zum Beispiel Cookies.'),
  },
  INTERNAL: {
    en: text('Something failed on our side.', 'Try again. If it goes on, report it with the <code>requestId</code>.'),
    de: text(
      'Auf unserer Seite ist etwas fehlgeschlagen.',
      'Versuchen Sie es erneut. Bleibt es so, melden Sie es mit der <code>requestId</code>.',
    ),
  },
  NOT_IMPLEMENTED: {
    en: text('The method is not known here at all.', 'Use one that the document of the API names.'),
    de: text('Die Methode ist hier überhaupt nicht bekannt.', 'Nutzen Sie eine, die die Beschreibung der API nennt.'),
  },
  DEPENDENCY_UNAVAILABLE: {
    en: text(
      'Something that the service needs does not answer.',
      'Try again after <code>Retry-After</code>; with an <code>Idempotency-Key</code> nothing happens twice.',
    ),
    de: text(
      'Etwas, das der Dienst braucht, antwortet nicht.',
      'Versuchen Sie es nach <code>Retry-After</code> erneut; mit einem <code>Idempotency-Key</code> geschieht nichts doppelt.',
    ),
  },
  OVERLOADED: {
    en: text(
      'There is more to do than can be done in time, so this request was refused at once.',
      'Try again after <code>Retry-After</code>.',
    ),
    de: text(
      'Es ist mehr zu tun, als rechtzeitig geht; diese Anfrage wurde daher sofort abgelehnt.',
      'Versuchen Sie es nach <code>Retry-After</code> erneut.',
    ),
  },
};
