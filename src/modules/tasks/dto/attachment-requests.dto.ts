import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsString, Length, Matches } from 'class-validator';
import { UploadSize } from '../../../platform/storage/upload-size.decorator.js';

const MAX_SIZE = 25 * 1024 * 1024;
/** Nothing that leads elsewhere, or shows another name than it is: separators, control characters, a turned direction. */
const FILENAME = /^(?!\.{1,2}$)[^/\\\p{Cc}\u202a-\u202e\u2066-\u2069]+$/u;

/** No SVG: as a page of its own it runs scripts. */
export const ATTACHMENT_TYPES = [
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'image/avif',
  'image/heic',
  'image/bmp',
  'image/tiff',
  'application/pdf',
  'text/plain',
  'text/csv',
  'application/msword',
  'application/vnd.ms-excel',
  'application/vnd.ms-powerpoint',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  'application/vnd.oasis.opendocument.text',
  'application/vnd.oasis.opendocument.spreadsheet',
  'application/vnd.oasis.opendocument.presentation',
  'application/zip',
] as const;

export class CreateAttachmentDto {
  /** @example "Report March.pdf" */
  @ApiProperty()
  @Matches(FILENAME, { message: 'must be a name without path, control characters or changes of direction' })
  @Length(1, 255)
  @IsString()
  filename!: string;

  /** @example application/pdf */
  @ApiProperty({ enum: ATTACHMENT_TYPES })
  @IsIn(ATTACHMENT_TYPES)
  contentType!: string;

  /**
   * Bytes, exactly.
   * @example 48213
   */
  @UploadSize(MAX_SIZE)
  size!: number;
}
