import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsTimeZone, Matches } from 'class-validator';

/** The IANA name of a time zone. Newer versions of Node also take offsets such as +05:37, which know no daylight saving. */
export const IsIanaTimeZone = () =>
  applyDecorators(
    ApiProperty({ pattern: '^[A-Za-z][A-Za-z0-9_+/-]*$' }),
    Matches(/^[A-Za-z]/, { message: 'must be the IANA name of a time zone' }),
    IsTimeZone(),
  );
