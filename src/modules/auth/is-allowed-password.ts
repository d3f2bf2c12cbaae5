import { dictionary } from '@zxcvbn-ts/language-common';
import { IsString, Length, ValidateBy, type ValidationOptions } from 'class-validator';
import { applyDecorators } from '@nestjs/common';

export const PASSWORD_MIN_LENGTH = 10;
export const PASSWORD_MAX_LENGTH = 128;

const COMMON = new Set(
  dictionary['passwords-common'].map(String).filter((password) => password.length >= PASSWORD_MIN_LENGTH),
);

/** Not one of the commonest passwords of known leaks (NIST SP 800-63B, 5.1.1.2). */
const IsUncommon = (options?: ValidationOptions) =>
  ValidateBy(
    {
      name: 'isUncommon',
      validator: {
        validate: (value: unknown) => typeof value === 'string' && !COMMON.has(value.toLowerCase()),
        defaultMessage: () => 'must not be one of the commonest passwords',
      },
    },
    options,
  );

/** What a new password must be; that it isn't the email address is for the service to check. */
export const IsAllowedPassword = () =>
  applyDecorators(IsString(), Length(PASSWORD_MIN_LENGTH, PASSWORD_MAX_LENGTH), IsUncommon());
