import { ApiProperty } from '@nestjs/swagger';
import type { PresignedUpload } from './object-storage.js';

/** Where to send a file to, and how. */
export class UploadResponseDto {
  /** Good for one upload. */
  @ApiProperty({ format: 'uri', example: 'https://files.example.org/665f1c2e9b1d4a3f8c7e6d5b' })
  uploadUrl!: string;

  @ApiProperty({ enum: ['PUT'], example: 'PUT' })
  method!: 'PUT';

  /** To be sent with the file, as they are. Browsers set `Content-Length` by themselves. */
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    example: { 'Content-Type': 'application/pdf', 'Content-Length': '48213', 'If-None-Match': '*' },
  })
  headers!: Record<string, string>;

  @ApiProperty({ format: 'date-time', example: '2035-01-15T09:45:00.000Z' })
  expiresAt!: string;
}

export function toUploadResponse({ uploadUrl, method, headers, expiresAt }: PresignedUpload): UploadResponseDto {
  return { uploadUrl, method, headers, expiresAt: expiresAt.toISOString() };
}
