import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { ValidateBy } from 'class-validator';
import { faultOfMarks, lengthOf } from './text.js';

export const PASSWORD_MAX_LENGTH = 128;

/**
 * A password, whose length is counted in Unicode NFC. It stays as it was sent: the stored hash may be one of another form.
 *
 * @param minLength more than 1 for a password that is to be set
 */
export function IsPassword(minLength = 1): PropertyDecorator {
  const faultOf = (value: unknown): string | undefined => {
    if (typeof value !== 'string') return 'must be a string';
    const fault = faultOfMarks(value);
    if (fault) return fault;
    const length = lengthOf(value.normalize('NFC'));
    return length < minLength || length > PASSWORD_MAX_LENGTH
      ? `must have at least ${minLength} and at most ${PASSWORD_MAX_LENGTH} characters`
      : undefined;
  };
  return applyDecorators(
    ApiProperty({ minLength, maxLength: PASSWORD_MAX_LENGTH }),
    ValidateBy({
      name: 'isPassword',
      validator: {
        validate: (value) => faultOf(value) === undefined,
        defaultMessage: (args) => faultOf(args?.value) ?? '',
      },
    }),
  );
}
