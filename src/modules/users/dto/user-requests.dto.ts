import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, Length, Matches, ValidateBy } from 'class-validator';
import { PageQueryDto } from '../../../common/pagination/page.dto.js';
import { IsIanaTimeZone } from '../../../common/validation/is-iana-time-zone.js';
import { OptionalField } from '../../../common/validation/optional-field.js';
import { MultiLineText, SingleLineText } from '../../../common/validation/text.js';
import { type Role, ROLES } from '../../../contracts/role.js';
import { StepUpDto } from '../../../platform/step-up/step-up.dto.js';

function isBcp47(value: unknown): boolean {
  try {
    return typeof value === 'string' && Intl.getCanonicalLocales(value).length === 1;
  } catch {
    return false; // RangeError: not a language tag
  }
}

const IsLanguageTag = () =>
  applyDecorators(
    ApiProperty({ pattern: '^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$' }),
    ValidateBy({
      name: 'isLanguageTag',
      validator: { validate: isBcp47, defaultMessage: () => 'must be a BCP 47 language tag, such as en or de-AT' },
    }),
  );

export class UpdateUserDto {
  /** @example "Ada Lovelace" */
  @OptionalField()
  @SingleLineText({ maxLength: 100 })
  name?: string;

  /**
   * E.164; unverified until confirmed.
   * @example "+436601234567"
   */
  @ApiProperty({ type: String, nullable: true, required: false })
  @IsOptional()
  @Matches(/^\+[1-9]\d{6,14}$/, { message: 'must be an E.164 number, such as +436601234567' })
  phone?: string | null;

  /** @example de-AT */
  @OptionalField()
  @Length(2, 35)
  @IsLanguageTag()
  locale?: string;

  /** @example Europe/Vienna */
  @OptionalField()
  @IsIanaTimeZone()
  timezone?: string;
}

export const USER_SORTS = ['createdAt', '-createdAt', 'email', '-email'] as const;
export type UserSort = (typeof USER_SORTS)[number];

export class ListUsersQueryDto extends PageQueryDto {
  /** Only users with this role. */
  @ApiProperty({ enum: ROLES, required: false })
  @OptionalField()
  @IsIn(ROLES)
  role?: Role;

  /** Only users whose email address or name begins with this. */
  @OptionalField()
  @Length(1, 100)
  @IsString()
  q?: string;

  /** A minus sorts downwards: from the latest, or from Z. */
  @ApiProperty({ enum: USER_SORTS, default: '-createdAt', required: false })
  @IsIn(USER_SORTS)
  sort: UserSort = '-createdAt';
}

/** A step-up is needed where the role is raised. */
export class SetRoleDto extends StepUpDto {
  @ApiProperty({ enum: ROLES, example: 'manager' })
  @IsIn(ROLES)
  role!: Role;
}

export class UnsuspendUserDto {
  static readonly isOptionalBody = true;

  /**
   * For the audit trail.
   * @example "a mistake"
   */
  @OptionalField()
  @MultiLineText({ maxLength: 500 })
  reason?: string;
}

export class SuspendUserDto extends StepUpDto {
  /**
   * For administrators and the audit trail; the user doesn't see it.
   * @example spam
   */
  @OptionalField()
  @MultiLineText({ maxLength: 500 })
  reason?: string;
}
