import { ApiProperty } from '@nestjs/swagger';
import { type Page, PageInfoResponseDto } from '../../../common/pagination/page.dto.js';
import { type Role, ROLES } from '../../../contracts/role.js';

export class UserResponseDto {
  /** @example 665f1c2e9b1d4a3f8c7e6d5b */
  id!: string;

  /** @example "Ada Lovelace" */
  name!: string;

  /** @example ada@example.org */
  email!: string;

  /** @example true */
  emailVerified!: boolean;

  @ApiProperty({ enum: ROLES, example: 'user' })
  role!: Role;

  @ApiProperty({ type: String, nullable: true, example: '+436601234567' })
  phone!: string | null;

  /** @example de-AT */
  locale!: string;

  /** @example Europe/Vienna */
  timezone!: string;

  @ApiProperty({ type: String, nullable: true, example: null })
  avatarUrl!: string | null;

  @ApiProperty({ format: 'date-time', example: '2035-01-15T09:30:00.000Z' })
  createdAt!: string;

  @ApiProperty({ format: 'date-time', example: '2035-01-15T09:30:00.000Z' })
  updatedAt!: string;
}

export class SuspensionResponseDto {
  @ApiProperty({ format: 'date-time', example: '2035-01-15T09:30:00.000Z' })
  at!: string;

  /** What the administrator who suspended the user gave as the reason. */
  @ApiProperty({ type: String, nullable: true, example: 'spam' })
  reason!: string | null;
}

export class UserDetailsResponseDto extends UserResponseDto {
  /** Null for a user who isn't suspended. Only administrators get this field. */
  @ApiProperty({ type: () => SuspensionResponseDto, nullable: true, required: false })
  suspended?: SuspensionResponseDto | null;
}

export class UserListResponseDto implements Page<UserResponseDto> {
  data!: UserResponseDto[];

  page!: PageInfoResponseDto;
}

export class PersonalDataResponseDto {
  @ApiProperty({ format: 'date-time', example: '2035-01-15T09:30:00.000Z' })
  exportedAt!: string;

  /** What each module holds of the person. */
  @ApiProperty({ type: 'object', additionalProperties: true, example: { users: {}, tasks: {} } })
  data!: Record<string, unknown>;
}
