import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { isISO8601, isRFC3339, ValidateBy } from 'class-validator';

const LAST_YEAR = 9998;

const LEAP_SECOND = /:60(?=[.Z+-])/;

/**
 * An RFC 3339 time that exists (no 30 February), such as `2026-01-31T09:30:00.000Z`. The field gets it in the form that
 * `Date` reads.
 */
export const IsTimestamp = () =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) => toReadableTime(value)),
    ValidateBy({
      name: 'isTimestamp',
      validator: {
        validate: isTimestamp,
        defaultMessage: () => 'must be an RFC 3339 time, such as 2026-01-31T09:30:00.000Z',
      },
    }),
  );

/**
 * The same time in the form that `Date` reads: `t` and `z` are `T` and `Z`, and a leap second, which is the last one of a
 * day of UTC (RFC 3339, 5.7), is the second after it. All else is given back as it is.
 */
export function toReadableTime(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const time = value.replace(/(?<=^\d{4}-\d\d-\d\d)t/, 'T').replace(/(?<=\d)z$/, 'Z');
  if (!LEAP_SECOND.test(time)) return time;
  const before = time.replace(LEAP_SECOND, ':59');
  if (!isTimestamp(before)) return value;
  const date = new Date(before);
  if (date.getUTCHours() !== 23 || date.getUTCMinutes() !== 59) return value;
  return new Date(date.getTime() + 1000).toISOString();
}

/** Whether it is such a time, for values that no DTO carries: those go through `toReadableTime` first. */
export function isTimestamp(value: unknown): value is string {
  return (
    isRFC3339(value) &&
    isISO8601(value, { strict: true, strictSeparator: true }) &&
    new Date(value as string).getUTCFullYear() <= LAST_YEAR
  );
}
