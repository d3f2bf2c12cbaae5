import { ApiProperty } from '@nestjs/swagger';
import { IsIn, Matches } from 'class-validator';
import { SingleLineText } from '../../../common/validation/text.js';
import { UploadSize } from '../../../platform/storage/upload-size.decorator.js';

const MAX_SIZE = 25 * 1024 * 1024;

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
  @Matches(/^(?!\.{1,2}$)/, { message: 'must be a name, not a path' })
  @SingleLineText({ maxLength: 255, without: '/\\' })
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
