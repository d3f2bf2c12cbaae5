// @Type needs it, and commands that don't load Nest have it from here alone.
import 'reflect-metadata';
import { Transform, Type } from 'class-transformer';
import { IsInt, IsOptional, IsUrl, Max, Min, Validate, ValidateIf } from 'class-validator';
import { toPem } from './parse.js';
import { IsCertificateList, IsKeyOfCertificate } from './rules.js';

function all(...decorators: PropertyDecorator[]): PropertyDecorator {
  return (target, property) => decorators.forEach((decorate) => decorate(target, property));
}

/** A whole number. @param what ends the sentence "must be …" */
export const Whole = (what: string, min: number, max?: number): PropertyDecorator =>
  all(
    Type(() => Number),
    IsInt({ message: `must be ${what}` }),
    Min(min),
    ...(max === undefined ? [] : [Max(max)]),
  );

export const Seconds = (min: number, max?: number) => Whole('a number of seconds', min, max);
export const Milliseconds = (min: number) => Whole('a number of milliseconds', min);
/** A TCP port; 0 is a free one. */
export const Port = () => Whole('a port number', 0, 65_535);

/** An http(s) address, in any network. @param message the sentence for another value */
export const HttpUrl = (message: string): PropertyDecorator =>
  IsUrl({ require_tld: false, require_protocol: true, protocols: ['http', 'https'] }, { message });

/** Certificates in PEM, or nothing. */
export const Certificates = (): PropertyDecorator => all(IsOptional(), Transform(toPem), Validate(IsCertificateList));

/** The private key, in PEM, of the certificate in `<server>_TLS_CERT`; there are both or neither. */
export const KeyOfCertificate = (server: string): PropertyDecorator =>
  all(
    ValidateIf((variables: Record<string, unknown>) =>
      Boolean(variables[`${server}_TLS_CERT`] || variables[`${server}_TLS_KEY`]),
    ),
    Transform(toPem),
    Validate(IsKeyOfCertificate, [`${server}_TLS_CERT`]),
  );
