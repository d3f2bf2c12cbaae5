import { ApiProperty } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { UploadSize } from '../../../platform/storage/upload-size.decorator.js';

const MAX_SIZE = 5 * 1024 * 1024;
const AVATAR_TYPES = ['image/png', 'image/jpeg', 'image/webp'] as const;

export class CreateAvatarDto {
  @ApiProperty({ enum: AVATAR_TYPES, example: 'image/png' })
  @IsIn(AVATAR_TYPES)
  contentType!: string;

  /**
   * Bytes, exactly.
   * @example 48213
   */
  @UploadSize(MAX_SIZE)
  size!: number;
}

export class AvatarResponseDto {
  /** Leads to the picture, for everybody who has it; another picture has another one. */
  @ApiProperty({
    format: 'uri',
    example: 'https://api.example.org/api/v1/users/665f1c2e9b1d4a3f8c7e6d5b/avatar/0f9c2b7e4d1a8c35',
  })
  avatarUrl!: string;
}
