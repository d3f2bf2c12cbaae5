import { IsString, Length } from 'class-validator';

export class PasswordDto {
  /** @example correct-horse-battery */
  @Length(1, 128)
  @IsString()
  password!: string;
}

export class CodeDto {
  /**
   * From the authenticator; where that is lost, a recovery code.
   * @example "123456"
   */
  @Length(6, 30)
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
