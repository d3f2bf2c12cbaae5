import { IsString, Length } from 'class-validator';
import { OptionalField } from '../../common/validation/optional-field.js';
import { IsPassword } from '../../common/validation/password.js';

/** What the body of a route that needs a step-up takes beside its own fields. */
export class StepUpDto {
  /** Without a body, the answer says what is asked for. */
  static readonly isOptionalBody: boolean = true;

  /**
   * Your password, asked for again.
   * @example "your password"
   */
  @OptionalField()
  @IsPassword()
  password?: string;

  /**
   * Where a second factor is on: from the authenticator, or a recovery code. Spaces are ignored.
   * @example "123456"
   */
  @OptionalField()
  @Length(6, 64)
  @IsString()
  code?: string;
}
