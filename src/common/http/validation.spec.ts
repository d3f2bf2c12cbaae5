import { Type } from 'class-transformer';
import { IsBoolean, IsEmail, IsIn, IsOptional, IsString, Length, ValidateNested } from 'class-validator';
import { type FieldError, ValidationFailedError } from '../errors/problem.js';
import { PageQueryDto } from '../pagination/page.dto.js';
import { createValidationPipe } from './validation.js';

class Inner {
  @IsBoolean()
  flag!: boolean;
}

class Outer {
  @IsEmail()
  email!: string;

  @Length(1, 3)
  @IsString()
  name!: string;

  @IsIn(['a', 'b'], { each: true })
  list!: string[];

  @ValidateNested()
  @Type(() => Inner)
  inner!: Inner;

  @ValidateNested({ each: true })
  @Type(() => Inner)
  many!: Inner[];
}

const RIGHT = { email: 'ada@example.org', name: 'Ada', list: ['a'], inner: { flag: true }, many: [{ flag: false }] };

async function errorsOf(input: unknown, metatype: typeof Outer | typeof PageQueryDto = Outer): Promise<FieldError[]> {
  try {
    await createValidationPipe().transform(input, { type: 'body', metatype });
    return [];
  } catch (error) {
    if (error instanceof ValidationFailedError) return error.members['errors'] as FieldError[];
    throw error;
  }
}

describe('the validation pipe', () => {
  it('makes an object of the class of what is right', async () => {
    const made: unknown = await createValidationPipe().transform(RIGHT, { type: 'body', metatype: Outer });
    expect(made).toBeInstanceOf(Outer);
    expect(made).toEqual(RIGHT);
  });

  it.each<[string, object, FieldError]>([
    ['a field', { email: 'ada' }, { field: 'email', message: 'must be an email' }],
    ['an unknown field', { extra: 1 }, { field: 'extra', message: 'is not known' }],
    ['a field whose name is empty', { '': 1 }, { field: '', message: 'is not known' }],
    [
      'an item of a list',
      { list: ['a', 'c'] },
      { field: 'list', message: 'each value in it must be one of the following values: a, b' },
    ],
    ['a nested field', { inner: { flag: 'yes' } }, { field: 'inner.flag', message: 'must be a boolean value' }],
    ['an unknown nested field', { inner: { flag: true, extra: 1 } }, { field: 'inner.extra', message: 'is not known' }],
    [
      'a field of a nested item',
      { many: [{ flag: true }, {}] },
      { field: 'many.1.flag', message: 'must be a boolean value' },
    ],
  ])('names %s, without repeating its name in the message', async (_, change, expected) => {
    const [error, ...others] = await errorsOf({ ...RIGHT, ...change });
    expect(others).toEqual([]);
    expect(error).toEqual(expected);
  });

  it('says one thing a field, and all fields at once', async () => {
    const errors = await errorsOf({ ...RIGHT, email: 1, name: 1 });
    expect(errors.map(({ field }) => field)).toEqual(['email', 'name']);
  });

  it('takes no body for one without fields, only where the class says that it is optional', async () => {
    class Optional {
      static readonly isOptionalBody = true;

      @IsOptional()
      @IsString()
      reason?: string;
    }
    expect(await createValidationPipe().transform(undefined, { type: 'body', metatype: Optional })).toEqual({});
  });

  it.each([[null], [[]], ['text'], [42], [true], [undefined]])('refuses %j, which is no object', async (body) => {
    expect(await errorsOf(body)).toEqual([{ field: 'body', message: 'must be a JSON object' }]);
  });

  it.each([
    ['a limit that is no number', { limit: 'abc' }, { field: 'limit', message: 'must be an integer number' }],
    ['a repeated parameter', { cursor: ['a', 'b'] }, { field: 'cursor', message: 'must be a string' }],
  ])('says what kind of value is wrong before its size: %s', async (_, query, error) => {
    expect(await errorsOf(query, PageQueryDto)).toEqual([error]);
  });
});
