import { ApiProperty } from '@nestjs/swagger';
import { type Role, ROLES } from '../../../contracts/role.js';

export class AccountResponseDto {
  /** @example 665f1c2e9b1d4a3f8c7e6d5b */
  id!: string;

  /** @example "Ada Lovelace" */
  name!: string;

  /** @example ada@example.org */
  email!: string;

  @ApiProperty({ enum: ROLES, example: 'user' })
  role!: Role;

  /** @example false */
  emailVerified!: boolean;

  /** @example 2035-01-15T09:30:00.000Z */
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
}

export class TokensResponseDto {
  user!: AccountResponseDto;

  /** @example Bearer */
  tokenType!: string;

  /**
   * A JWT; verify it with `/.well-known/jwks.json`.
   * @example eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiI2NjVmMWMyZTliMWQ0YTNmOGM3ZTZkNWIifQ.c2lnbmF0dXJl
   */
  accessToken!: string;

  /**
   * Opaque; works once.
   * @example rT5vQ2mX7pR4tY8wB1nZ6cD5fG0hLsAk3J9
   */
  refreshToken!: string;

  /**
   * Seconds until the access token expires.
   * @example 900
   */
  expiresIn!: number;

  /**
   * Opaque; keep it on this device and send it with the next log-ins, so that failed log-ins from elsewhere don't lock this
   * device out. Good for 180 days, until the password changes.
   * @example dV7pR4tY8wB1nZ6cD5fG0hLsAk3J9vQ2mX
   */
  deviceToken!: string;
}
