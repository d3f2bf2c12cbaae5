import { ApiProperty } from '@nestjs/swagger';
import { UploadResponseDto } from '../../../platform/storage/upload-response.dto.js';
import { ATTACHMENT_STATES, type AttachmentState } from '../schemas/attachment.schema.js';

export class AttachmentResponseDto {
  /** @example 665f1c2e9b1d4a3f8c7e6d5b */
  id!: string;

  /** @example "Report March.pdf" */
  filename!: string;

  /** @example application/pdf */
  contentType!: string;

  /**
   * Bytes.
   * @example 48213
   */
  size!: number;

  /** `pending` until its upload has been completed; one that isn't within a day disappears. */
  @ApiProperty({ enum: ATTACHMENT_STATES, example: 'complete' })
  state!: AttachmentState;
}

export class CompletedAttachmentResponseDto {
  attachment!: AttachmentResponseDto;

  /**
   * Of the task, of which the attachment is a part.
   * @example 2
   */
  version!: number;
}

export class AttachmentUploadResponseDto extends UploadResponseDto {
  attachment!: AttachmentResponseDto;

  /**
   * Of the task, of which the attachment is a part.
   * @example 2
   */
  version!: number;
}
