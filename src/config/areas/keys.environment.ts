import { Transform } from 'class-transformer';
import { IsOptional, Validate, ValidateIf } from 'class-validator';
import { toList, toPemList } from '../parse.js';
import { IsAppKeyList, IsSecretList, IsSigningKeyList, IsVerificationKeyList } from '../rules.js';
import type { ProcessEnvironment } from './process.environment.js';

/** Rules see the variables of all areas. */
type Variables = KeysEnvironment & ProcessEnvironment;

const servesAuth = ({ MODULES: served }: Variables) => !Array.isArray(served) || served.includes('auth');

/** Secrets, and the keys that sign access tokens. */
export class KeysEnvironment {
  /** Not needed where `APP_KEYS` is set. */
  @ValidateIf((variables: Variables) => !variables.APP_KEYS || variables.APP_SECRETS !== undefined)
  @Transform(toList)
  @Validate(IsSecretList)
  readonly APP_SECRETS?: string[];

  /** Keys derived from `APP_SECRETS` for single purposes, for a process of a split service. */
  @IsOptional()
  @Transform(toList)
  @Validate(IsAppKeyList)
  readonly APP_KEYS?: string[];

  /** Only processes that serve auth need it. */
  @ValidateIf((variables: Variables) => servesAuth(variables) || variables.JWT_PRIVATE_KEYS !== undefined)
  @Transform(toPemList)
  @Validate(IsSigningKeyList)
  readonly JWT_PRIVATE_KEYS?: string[];

  /** Processes that don't serve auth verify with these. */
  @ValidateIf(
    (variables: Variables) =>
      variables.JWT_PUBLIC_KEYS !== undefined || !(servesAuth(variables) || variables.JWT_PRIVATE_KEYS !== undefined),
  )
  @Transform(toPemList)
  @Validate(IsVerificationKeyList)
  readonly JWT_PUBLIC_KEYS?: string[];
}
