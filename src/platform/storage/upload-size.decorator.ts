import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';

/** A file's exact size in bytes, as it will be signed: at least 1, and at most what is given. */
export const UploadSize = (maximum: number) =>
  applyDecorators(ApiProperty({ type: 'integer', minimum: 1, maximum }), IsInt(), Min(1), Max(maximum));
