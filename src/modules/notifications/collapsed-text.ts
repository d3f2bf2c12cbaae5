import {
  type Language,
  languageOf,
  type NotificationText,
  type Reader,
  type SentEvent,
  textOf,
} from './notification-texts.js';

const BODIES: Record<Language, (count: number) => string> = {
  en: (count) => `${count} more notifications within a minute. All of them are in your inbox.`,
  de: (count) => `${count} weitere Benachrichtigungen innerhalb einer Minute. Alle stehen in Ihrem Posteingang.`,
};

/**
 * The text of one message that stands for several of the same event; for one alone, its own.
 *
 * @param data of the first of them
 * @param count how many it stands for
 */
export function collapsedTextOf(
  event: SentEvent,
  data: Record<string, string>,
  count: number,
  reader: Reader,
): NotificationText {
  const text = textOf(event, data, reader);
  // Messages that were stored by a previous release have no count.
  if (!(count > 1)) return text;
  return { title: `${text.title} (${count})`, body: BODIES[languageOf(reader.locale)](count) };
}
