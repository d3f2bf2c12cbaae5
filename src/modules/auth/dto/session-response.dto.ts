import { ApiProperty } from '@nestjs/swagger';

export class SessionResponseDto {
  /** @example 665f1c2e9b1d4a3f8c7e6d5b */
  id!: string;

  /** @example Mozilla/5.0 */
  userAgent!: string;

  /** @example 203.0.113.7 */
  ip!: string;

  @ApiProperty({ format: 'date-time', example: '2035-01-15T09:30:00.000Z' })
  createdAt!: string;

  /** The last time its refresh token was used. */
  @ApiProperty({ format: 'date-time', example: '2035-01-15T09:30:00.000Z' })
  lastUsedAt!: string;

  /**
   * Whether this request belongs to it.
   * @example true
   */
  current!: boolean;
}
