import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsInt, Max, Min } from 'class-validator';

const MAX_SIZE = 5 * 1024 * 1024;
const AVATAR_TYPES = ['image/png', 'image/jpeg', 'image/webp'] as const;

export class CreateAvatarDto {
  @ApiProperty({ enum: AVATAR_TYPES })
  @IsIn(AVATAR_TYPES)
  contentType!: string;

  /**
   * Bytes, exactly.
   * @example 48213
   */
  @ApiProperty({ type: 'integer', minimum: 1, maximum: MAX_SIZE })
  @Max(MAX_SIZE)
  @Min(1)
  @IsInt()
  size!: number;
}

export class AvatarResponseDto {
  /** Leads to the picture, for everybody who has it; another picture has another one. */
  @ApiProperty({ format: 'uri' })
  avatarUrl!: string;
}
