import { IsString, Length } from 'class-validator';

export class PhoneCodeDto {
  /** @example "123456" */
  @Length(1, 20)
  @IsString()
  code!: string;
}
