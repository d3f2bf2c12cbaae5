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
  qrSvg!: string;
}

export class RecoveryCodesResponseDto {
  /** Each works once, in the place of a code; shown this once. */
  recoveryCodes!: string[];
}
