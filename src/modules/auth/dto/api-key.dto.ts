import { ApiProperty } from '@nestjs/swagger';
import { ArrayMinSize, ArrayUnique, IsArray, IsIn, IsOptional } from 'class-validator';
import { API_KEY_SCOPES, type ApiKeyScope } from '../../../contracts/api-key-scope.js';
import { StepUpDto } from '../../../platform/step-up/step-up.dto.js';
import { IsTimestamp } from '../../../common/validation/is-timestamp.js';
import { SingleLineText } from '../../../common/validation/text.js';

export class CreateApiKeyDto extends StepUpDto {
  /** @example "nightly report" */
  @SingleLineText({ maxLength: 100 })
  name!: string;

  /** Writing includes reading. */
  @ApiProperty({ enum: API_KEY_SCOPES, isArray: true, example: ['tasks:read'] })
  @IsIn(API_KEY_SCOPES, { each: true })
  @ArrayUnique()
  @ArrayMinSize(1)
  @IsArray()
  scopes!: ApiKeyScope[];

  /** At most a year from now; 90 days where it is left out. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true, required: false, example: null })
  @IsOptional()
  @IsTimestamp()
  expiresAt?: string | null;
}

export class ApiKeyResponseDto {
  /** @example 665f1c2e9b1d4a3f8c7e6d5b */
  id!: string;

  /** @example "nightly report" */
  name!: string;

  @ApiProperty({ enum: API_KEY_SCOPES, isArray: true, example: ['tasks:read'] })
  scopes!: ApiKeyScope[];

  /** Null for a key of an earlier release until it has been given an expiry. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: '2035-04-15T09:30:00.000Z' })
  expiresAt!: string | null;

  /** To the minute. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  lastUsedAt!: string | null;

  @ApiProperty({ format: 'date-time', example: '2035-01-15T09:30:00.000Z' })
  createdAt!: string;
}

export class CreatedApiKeyResponseDto {
  /** @example 665f1c2e9b1d4a3f8c7e6d5b */
  id!: string;

  /** @example "nightly report" */
  name!: string;

  @ApiProperty({ enum: API_KEY_SCOPES, isArray: true, example: ['tasks:read'] })
  scopes!: ApiKeyScope[];

  @ApiProperty({ format: 'date-time', example: '2035-04-15T09:30:00.000Z' })
  expiresAt!: string;

  /**
   * The key itself, shown this once: send it as `Authorization: Bearer`.
   * @example sak_665f1c2e9b1d4a3f8c7e6d5b_k3J9vQ2mX7pR4tY8wB1nZ6cD5fG0hLsA
   */
  key!: string;
}
