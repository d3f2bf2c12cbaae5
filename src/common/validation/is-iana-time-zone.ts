import { applyDecorators } from '@nestjs/common';
import { IsTimeZone, Matches } from 'class-validator';

/** The IANA name of a time zone. Newer versions of Node also take offsets such as +05:37, which know no daylight saving. */
export const IsIanaTimeZone = () =>
  applyDecorators(Matches(/^[A-Za-z]/, { message: 'must be the IANA name of a time zone' }), IsTimeZone());
