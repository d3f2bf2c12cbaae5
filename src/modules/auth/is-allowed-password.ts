import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsPassword } from '../../common/validation/password.js';
import { toNfc } from '../../common/validation/text.js';

export const PASSWORD_MIN_LENGTH = 10;

/**
 * A password that is to be set, in Unicode NFC, and its length. What else it must be is decided by PasswordPolicy, which knows
 * whose it is to become.
 */
export const IsAllowedPassword = () =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? toNfc(value) : value)),
    IsPassword(PASSWORD_MIN_LENGTH),
  );
