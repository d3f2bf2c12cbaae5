import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsMongoId } from 'class-validator';
import { type Page, PageInfoResponseDto, PageQueryDto } from '../../../common/pagination/page.dto.js';
import { IsTimestamp } from '../../../common/validation/is-timestamp.js';
import { OptionalField } from '../../../common/validation/optional-field.js';
import { AUDIT_EVENTS, type AuditEvent } from '../schemas/audit-entry.schema.js';

export class ListAuditQueryDto extends PageQueryDto {
  /** Only entries of this user. */
  @ApiProperty({ pattern: '^[0-9a-fA-F]{24}$', required: false })
  @OptionalField()
  @IsMongoId()
  actorId?: string;

  /** Only entries of this kind. */
  @ApiProperty({ enum: AUDIT_EVENTS, required: false })
  @OptionalField()
  @IsIn(AUDIT_EVENTS)
  event?: AuditEvent;

  /** Only entries from this time on. */
  @ApiProperty({ format: 'date-time', required: false })
  @OptionalField()
  @IsTimestamp()
  from?: string;

  /** Only entries before this time. */
  @ApiProperty({ format: 'date-time', required: false })
  @OptionalField()
  @IsTimestamp()
  to?: string;
}

export class AuditEntryResponseDto {
  /** @example 665f1c2e9b1d4a3f8c7e6d5b */
  id!: string;

  @ApiProperty({ format: 'date-time', example: '2035-01-15T09:30:00.000Z' })
  at!: string;

  /** Null where nobody is known to have done it. */
  @ApiProperty({ type: String, nullable: true, example: '665f1c2e9b1d4a3f8c7e6d5b' })
  actorId!: string | null;

  /** The API key that was used; null for a session. */
  @ApiProperty({ type: String, nullable: true, example: null })
  apiKeyId!: string | null;

  @ApiProperty({ enum: AUDIT_EVENTS, example: 'login.succeeded' })
  event!: AuditEvent;

  @ApiProperty({ type: String, nullable: true, example: '203.0.113.7' })
  ip!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'Mozilla/5.0' })
  userAgent!: string | null;

  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' }, example: {} })
  details!: Record<string, string>;
}

export class AuditListResponseDto implements Page<AuditEntryResponseDto> {
  data!: AuditEntryResponseDto[];

  page!: PageInfoResponseDto;
}
