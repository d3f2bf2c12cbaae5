import { ApiProperty } from '@nestjs/swagger';
import { IsString, Length } from 'class-validator';

export class CodeDto {
  /**
   * From the authenticator. Spaces are ignored.
   * @example "123456"
   */
  @Length(6, 64)
  @IsString()
  code!: string;
}

export class TotpSecretResponseDto {
  /**
   * Base32.
   * @example JBSWY3DPEHPK3PXP
   */
  secret!: string;

  /** @example otpauth://totp/scalable-api:ada@example.org?secret=JBSWY3DPEHPK3PXP&issuer=scalable-api */
  otpauthUrl!: string;

  /** The same as a QR code: an SVG document. */
  @ApiProperty({ example: '<svg xmlns="http://www.w3.org/2000/svg"></svg>' })
  qrSvg!: string;
}

export class RecoveryCodesResponseDto {
  /**
   * Each works once, in the place of a code; shown this once.
   * @example ["ABCD-EFGH-JKLM-NPQR"]
   */
  recoveryCodes!: string[];
}
