import { IsBoolean, IsString, Length, MaxLength } from 'class-validator';
import { IsMailAddress } from '../../../common/validation/mail-address.js';
import { OptionalField } from '../../../common/validation/optional-field.js';
import { IsPassword } from '../../../common/validation/password.js';
import { SingleLineText } from '../../../common/validation/text.js';
import { StepUpDto } from '../../../platform/step-up/step-up.dto.js';
import { IsAllowedPassword } from '../is-allowed-password.js';

const TOKEN_MAX_LENGTH = 200;

export class RegisterDto {
  /** @example "Ada Lovelace" */
  @SingleLineText({ maxLength: 100 })
  name!: string;

  /** @example ada@example.org */
  @IsMailAddress()
  email!: string;

  /**
   * Not a common password, nor derived from the name, the address or this service's name, nor a repetition or sequence.
   * @example correct-horse-battery
   */
  @IsAllowedPassword()
  password!: string;
}

export class LoginDto {
  /** @example ada@example.org */
  @IsMailAddress()
  email!: string;

  /** @example correct-horse-battery */
  @IsPassword()
  password!: string;

  /**
   * The `deviceToken` of an earlier log-in from this device. Failed log-ins from elsewhere then don't lock this one out.
   * One that isn't accepted (any more) changes nothing.
   * @example "paste the deviceToken here"
   */
  @OptionalField()
  @MaxLength(TOKEN_MAX_LENGTH)
  @IsString()
  deviceToken?: string;
}

export class RefreshDto {
  /**
   * The `refreshToken` of the last answer; it works once.
   * @example "paste the refreshToken here"
   */
  @Length(1, TOKEN_MAX_LENGTH)
  @IsString()
  refreshToken!: string;
}

export class VerifyEmailDto {
  /**
   * The part behind `#token=` of the link in the mail.
   * @example "paste the token here"
   */
  @Length(1, TOKEN_MAX_LENGTH)
  @IsString()
  token!: string;

  /**
   * Of the account that the link is about; not needed where its owner is logged in.
   * @example correct-horse-battery
   */
  @OptionalField()
  @IsPassword()
  password?: string;
}

export class LoginMfaDto {
  /**
   * From the answer `MFA_REQUIRED`.
   * @example "paste the mfaToken here"
   */
  @Length(1, TOKEN_MAX_LENGTH)
  @IsString()
  mfaToken!: string;

  /**
   * From the authenticator, or a recovery code. Spaces are ignored.
   * @example "123456"
   */
  @Length(6, 64)
  @IsString()
  code!: string;
}

export class ForgotPasswordDto {
  /** @example ada@example.org */
  @IsMailAddress()
  email!: string;
}

export class ResetPasswordDto {
  /**
   * The part behind `#token=` of the link in the mail.
   * @example "paste the token here"
   */
  @Length(1, TOKEN_MAX_LENGTH)
  @IsString()
  token!: string;

  /** @example another-horse-battery */
  @IsAllowedPassword()
  password!: string;
}

export class ChangePasswordDto {
  /** @example correct-horse-battery */
  @IsPassword()
  currentPassword!: string;

  /** @example another-horse-battery */
  @IsAllowedPassword()
  newPassword!: string;

  /**
   * Whether your API keys keep working; without it they are removed.
   * @example true
   */
  @OptionalField()
  @IsBoolean()
  keepApiKeys?: boolean;
}

export class ChangeEmailDto extends StepUpDto {
  /** @example ada@example.net */
  @IsMailAddress()
  email!: string;
}
