import { parsePhoneNumberFromString } from 'libphonenumber-js/core';
import metadata from 'libphonenumber-js/metadata.max';

/**
 * Whether a number is of a country that gets SMS.
 *
 * @param phone E.164
 * @param countries codes of ISO 3166-1, or `*` for any
 */
export function isOfSmsCountry(phone: string, countries: string[]): boolean {
  if (countries.includes('*')) return true;
  const country = parsePhoneNumberFromString(phone, metadata)?.country;
  return country !== undefined && countries.includes(country);
}
