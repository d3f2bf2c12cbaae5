import Negotiator from 'negotiator';

/** The languages that pages speak; the first is the default. */
export const LANGUAGES = ['en', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];

/** @param header `Accept-Language` (RFC 9110, 12.5.4); `de-AT` is content with `de` */
export function chooseLanguage(header: string | undefined): Language {
  const chosen = new Negotiator({ headers: { 'accept-language': header } }).language([...LANGUAGES]);
  return LANGUAGES.find((language) => language === chosen) ?? LANGUAGES[0];
}
