import { Transform } from 'class-transformer';
import { IsOptional, Matches, ValidateIf } from 'class-validator';
import { toBaseUrl } from '../parse.js';
import { HttpUrl, Whole } from '../variable-decorators.js';

/** Where files are stored, in S3 or in a folder, and how much of them a user may have. */
export class FilesEnvironment {
  @IsOptional()
  @Matches(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, { message: 'must be the name of a bucket' })
  readonly S3_BUCKET?: string;

  @ValidateIf((variables: FilesEnvironment) => Boolean(variables.S3_BUCKET))
  @Matches(/^[a-z0-9-]+$/, { message: "must be the bucket's region, such as eu-central-1" })
  readonly S3_REGION?: string;

  @IsOptional()
  @HttpUrl('must be the http(s) address of a store that speaks the protocol of S3')
  readonly S3_ENDPOINT?: string;

  @ValidateIf((variables: FilesEnvironment) => Boolean(variables.S3_SECRET_ACCESS_KEY))
  @Matches(/^[!-~]+$/, { message: 'must be the id of the key in S3_SECRET_ACCESS_KEY' })
  readonly S3_ACCESS_KEY_ID?: string;

  @ValidateIf((variables: FilesEnvironment) => Boolean(variables.S3_ACCESS_KEY_ID))
  @Matches(/^[!-~]+$/, { message: 'must be the secret of the key that S3_ACCESS_KEY_ID names' })
  readonly S3_SECRET_ACCESS_KEY?: string;

  @ValidateIf((variables: FilesEnvironment) => !variables.S3_BUCKET)
  @Matches(/\S/, {
    message: 'must be a folder for files that all instances share, where S3_BUCKET names no bucket for them',
  })
  readonly STORAGE_PATH?: string;

  @IsOptional()
  @HttpUrl('must be the http(s) address of the CDN before the files')
  @Transform(toBaseUrl)
  readonly CDN_URL?: string;

  @Whole('a number of bytes', 1)
  readonly QUOTA_FILES_BYTES: number = 1024 ** 3;
}
