import { IsString, Length } from 'class-validator';
import { applyDecorators } from '@nestjs/common';

export const PASSWORD_MIN_LENGTH = 10;
export const PASSWORD_MAX_LENGTH = 128;

/** The length of a new password; what else it must be is decided by PasswordPolicy, which knows whose it is to become. */
export const IsAllowedPassword = () => applyDecorators(IsString(), Length(PASSWORD_MIN_LENGTH, PASSWORD_MAX_LENGTH));
