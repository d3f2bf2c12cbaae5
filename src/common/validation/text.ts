import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';

/** Changes of direction can make a text show another one than it is. */
const DIRECTION = String.raw`\u202a-\u202e\u2066-\u2069`;
const CONTROL = String.raw`\x00-\x1f\x7f-\x9f\u2028\u2029`;
const NOT_IN_LINE = new RegExp(`[${CONTROL}${DIRECTION}]`);
const NOT_IN_LINES = new RegExp(String.raw`[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f${DIRECTION}]`);
/** A character that is drawn: U+2800 is a Braille pattern without dots. */
const VISIBLE = /[^\s\p{Cc}\p{Cf}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/u;
/** Combining marks in a row; no script needs as many. Unicode's normalisation takes quadratic time for them (UAX #15). */
const MAX_MARKS = 64;
const MARKS = /\p{M}+/gu;

interface TextOptions {
  /** Default: 1. */
  minLength?: number;
  /** In code points of the text as it is stored. */
  maxLength: number;
  /** For a list of texts: what each of them must be. */
  each?: boolean;
}

interface LineOptions extends TextOptions {
  /** Characters that it must not contain. */
  without?: string;
}

/**
 * A text of one line that people read: a name, a title, a tag. It is trimmed and brought to Unicode NFC, and must have a visible
 * character, and no control characters or changes of direction.
 */
export function SingleLineText({ without = '', ...options }: LineOptions): PropertyDecorator {
  return applyDecorators(
    textProperty(options, linePattern(without)),
    Transform(({ value }: { value: unknown }) => mapTexts(value, toSingleLine)),
    checked(options, (text) => {
      if (NOT_IN_LINE.test(text)) return 'must not contain control characters or changes of direction';
      return [...without].some((character) => text.includes(character))
        ? `must not contain ${[...without].join(' or ')}`
        : undefined;
    }),
  );
}

/** A text of any number of lines: in Unicode NFC, without control characters but tabs and line breaks, or changes of direction. */
export function MultiLineText(options: TextOptions): PropertyDecorator {
  return applyDecorators(
    textProperty(options),
    Transform(({ value }: { value: unknown }) => mapTexts(value, toNfc)),
    checked(options, (text) =>
      NOT_IN_LINES.test(text)
        ? 'must not contain control characters, other than tabs and line breaks, or changes of direction'
        : undefined,
    ),
  );
}

/** The form in which a text of one line is stored and compared. */
export function toSingleLine(text: string): string {
  return toNfc(text).trim();
}

/** A text in Unicode NFC; as it is where it has too many combining marks in a row, which its check refuses. */
function toNfc(text: string): string {
  return hasTooManyMarks(text) ? text : text.normalize('NFC');
}

/** Says what is wrong with a text that can't be normalised in bounded time; undefined for any other. */
export function faultOfMarks(text: string): string | undefined {
  return hasTooManyMarks(text) ? `must have at most ${MAX_MARKS} combining marks in a row` : undefined;
}

/** The length in code points, as JSON Schema counts it. */
export function lengthOf(text: string): number {
  return [...text].length;
}

/** As much of the rule as a schema can express, of a text that is trimmed already. */
function linePattern(without: string): string {
  const excluded = `${CONTROL}${DIRECTION}${without.replaceAll('\\', '\\\\')}`;
  return String.raw`^[^${excluded}]*[^\s${excluded}][^${excluded}]*$`;
}

function textProperty({ minLength = 1, maxLength, each }: TextOptions, pattern?: string): PropertyDecorator {
  const schema = { minLength, maxLength, ...(pattern && { pattern }) };
  return ApiProperty(each ? { type: 'array', items: { type: 'string', ...schema } } : schema);
}

function hasTooManyMarks(text: string): boolean {
  for (const [marks] of text.matchAll(MARKS)) if (marks.length > MAX_MARKS) return true;
  return false;
}

function mapTexts(value: unknown, map: (text: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => (typeof item === 'string' ? map(item) : item));
  return typeof value === 'string' ? map(value) : value;
}

function checked(
  { minLength = 1, maxLength, each = false }: TextOptions,
  faultOf: (text: string) => string | undefined,
): PropertyDecorator {
  const messageOf = (value: unknown): string | undefined => {
    if (typeof value !== 'string') return 'must be a string';
    const fault = faultOfMarks(value);
    if (fault) return fault;
    if (lengthOf(value) > maxLength) return `must have at most ${maxLength} characters`;
    if (minLength > 0 && !VISIBLE.test(value)) return 'must have a visible character';
    if (lengthOf(value) < minLength) return `must have at least ${minLength} characters`;
    return faultOf(value);
  };
  return ValidateBy(
    {
      name: 'isText',
      validator: {
        validate: (value) => messageOf(value) === undefined,
        defaultMessage: (args) => firstMessage(args?.value, each, messageOf),
      },
    },
    { each },
  );
}

function firstMessage(value: unknown, each: boolean, messageOf: (value: unknown) => string | undefined): string {
  if (!each) return messageOf(value) ?? '';
  const messages = Array.isArray(value) ? value.map(messageOf) : [];
  return `each value in it ${messages.find((message) => message !== undefined) ?? 'must be a string'}`;
}
