import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { toFieldErrors } from '../http/validation.js';
import { MultiLineText, SingleLineText } from './text.js';

class Form {
  @SingleLineText({ maxLength: 5 })
  line: unknown = 'fine';

  @SingleLineText({ maxLength: 5, each: true, without: ',' })
  list: unknown = ['fine'];

  @MultiLineText({ minLength: 0, maxLength: 5 })
  lines: unknown = '';
}

/** A form as it is made of input, and what is wrong with it. */
function submit(input: object): { form: Form; messages: string[] } {
  const form = plainToInstance(Form, input);
  return { form, messages: toFieldErrors(validateSync(form)).map(({ field, message }) => `${field} ${message}`) };
}

describe('a text of one line', () => {
  it.each([
    [' \t\u00a0Ada\r\n', 'Ada'],
    ['e\u0301e\u0301e\u0301e\u0301e\u0301', 'ééééé'],
    ['한국어', '한국어'],
    ['👩‍🚀', '👩‍🚀'],
    ['می‌ر', 'می‌ر'],
    ['\u0e01\u0e33', '\u0e01\u0e33'],
    ['a\u200db', 'a\u200db'],
    ['\u0301', '\u0301'],
  ])('%j is stored as %j', (text, stored) => {
    expect(submit({ line: text })).toMatchObject({ messages: [], form: { line: stored } });
  });

  it.each([
    [1, 'must be a string'],
    [null, 'must be a string'],
    ['', 'must have a visible character'],
    [' \u3000', 'must have a visible character'],
    ['\u200b\u2060', 'must have a visible character'],
    ['\u2800', 'must have a visible character'],
    ['\u3164', 'must have a visible character'],
    ['\u0000', 'must have a visible character'],
    ['a\u0000b', 'must not contain control characters or changes of direction'],
    ['a\nb', 'must not contain control characters or changes of direction'],
    ['a\u202eb', 'must not contain control characters or changes of direction'],
    ['abcdef', 'must have at most 5 characters'],
    [`a${'\u0301'.repeat(65)}`, 'must have at most 64 combining marks in a row'],
    ['a\ufe0f\ufe0f\ufe0f\ufe0f\ufe0f', 'must have at most 5 characters'],
    ['\u0958\u0959\u095a', 'must have at most 5 characters'], // NFC is longer
  ])('%j is refused: %s', (text, message) => {
    expect(submit({ line: text }).messages).toEqual([`line ${message}`]);
  });

  it('is not normalised with so many combining marks that it would take long', () => {
    const text = `a${'\u0301\u0323'.repeat(50)}`;
    expect(submit({ line: text, lines: text, list: [text] }).form).toMatchObject({
      line: text,
      lines: text,
      list: [text],
    });
  });

  it('in a list is judged by itself', () => {
    expect(submit({ list: [' a ', 'e\u0301'] })).toMatchObject({ messages: [], form: { list: ['a', 'é'] } });
    expect(submit({ list: ['a', 'b,c'] }).messages).toEqual(['list each value in it must not contain ,']);
    expect(submit({ list: ['a', 1] }).messages).toEqual(['list each value in it must be a string']);
    expect(submit({ list: 'a,b' }).messages).toEqual(['list each value in it must be a string']);
  });
});

describe('a text of several lines', () => {
  it('keeps tabs, line breaks and spaces, in NFC', () => {
    expect(submit({ lines: ' \ta\r\n' })).toMatchObject({ messages: [], form: { lines: ' \ta\r\n' } });
    expect(submit({ lines: 'e\u0301' })).toMatchObject({ messages: [], form: { lines: 'é' } });
  });

  it.each(['a\u0000', '\u000b', '\u009f', '\u202d'])('is refused with other control characters: %j', (text) => {
    expect(submit({ lines: text }).messages).toHaveLength(1);
  });
});
