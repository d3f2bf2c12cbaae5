import { ValidatorConstraint, type ValidatorConstraintInterface } from 'class-validator';
import { type CountryCode, isSupportedCountry } from 'libphonenumber-js/core';
import metadata from 'libphonenumber-js/metadata.max';

/** A country that has phone numbers, by its code of ISO 3166-1, or `*` for any. */
@ValidatorConstraint({ name: 'isCountry' })
export class IsCountry implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return value === '*' || (typeof value === 'string' && isSupportedCountry(value as CountryCode, metadata));
  }

  defaultMessage(): string {
    return 'must hold country codes of two capital letters, such as AT,DE,CH (ISO 3166-1), or * for any';
  }
}
