import { domainToASCII, domainToUnicode } from 'node:url';
import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { isEmail, ValidateBy } from 'class-validator';

/** RFC 5321, 4.5.3.1.3 */
const MAX_LENGTH = 254;
/** As much of the rule as a schema can express: one @, and nothing that a dot-atom excludes. */
const PATTERN = String.raw`^[^\s\x00-\x20"(),:;<>@\[\\\]\x7f-\x9f]+@[^\s\x00-\x20"(),:;<>@\[\\\]\x7f-\x9f]+$`;
/** RFC 5322, 3.2.3, with the characters that RFC 6532 adds, but no invisible ones. */
const DOT_ATOM = /^(?:[\w!#$%&'*+/=?^`{|}~.-]|(?![\p{C}\p{Z}\p{Default_Ignorable_Code_Point}])\P{ASCII})+$/u;
const QUOTED = /^"(.*)"$/s;
/** `domainToASCII` takes more than a domain: it cuts off ports and paths, and decodes percent signs. */
const NOT_IN_DOMAIN = /[^\P{ASCII}a-z0-9.-]/iu;

const PUNYCODE = /(?:^|\.)xn--/;

/**
 * The one spelling of a mail address that is stored, compared and written to: dot-atom in lower case and NFC before the @, a
 * domain that is mapped by UTS 46 and written in ASCII after it.
 *
 * @returns null where the text is no mail address, or has quotes, comments, control or invisible characters
 */
export function canonicalAddress(text: string): string | null {
  const at = text.lastIndexOf('@');
  const local = text.slice(0, Math.max(at, 0)).normalize('NFC').toLowerCase().normalize('NFC');
  const address = `${local}@${canonicalDomain(text.slice(at + 1))}`;
  return DOT_ATOM.test(local) && isEmail(address) ? address : null;
}

/** The canonical spelling; of an address that has none, which earlier releases accepted, the one that they stored. */
export function addressKey(text: string): string {
  return canonicalAddress(text) ?? text.toLowerCase();
}

/**
 * The canonical spelling of an address that an earlier release stored: quotes that change nothing are removed.
 *
 * @returns null where there is none
 */
export function canonicalFormOf(stored: string): string | null {
  const at = stored.lastIndexOf('@');
  const [, content] = QUOTED.exec(stored.slice(0, Math.max(at, 0))) ?? [];
  return canonicalAddress(content === undefined ? stored : `${content.replace(/\\(.)/gs, '$1')}${stored.slice(at)}`);
}

function canonicalDomain(domain: string): string {
  if (NOT_IN_DOMAIN.test(domain)) return '';
  // Older versions of Node map the capital letter to `ss`, newer ones to `ß`.
  const ascii = domainToASCII(domain.replaceAll('ẞ', 'ß'));
  // What Punycode can't stand for, newer versions of Node leave as it is.
  return PUNYCODE.test(domainToUnicode(ascii)) ? '' : ascii;
}

/** A field with a mail address; `canonicalAddress` gives the spelling to go on with. */
export const IsMailAddress = () =>
  applyDecorators(
    ApiProperty({ format: 'idn-email', maxLength: MAX_LENGTH, pattern: PATTERN }),
    ValidateBy({
      name: 'isMailAddress',
      validator: {
        validate: (value) =>
          typeof value === 'string' && value.length <= MAX_LENGTH && canonicalAddress(value) !== null,
        defaultMessage: () => 'must be a mail address without quotes, comments, control or invisible characters',
      },
    }),
  );
