import { isISO8601, isRFC3339, ValidateBy } from 'class-validator';

const LAST_YEAR = 9998;

/** An RFC 3339 time that exists (no 30 February), such as `2026-01-31T09:30:00.000Z`. */
export const IsTimestamp = () =>
  ValidateBy({
    name: 'isTimestamp',
    validator: {
      validate: isTimestamp,
      defaultMessage: () => 'must be an RFC 3339 time, such as 2026-01-31T09:30:00.000Z',
    },
  });

/** Whether it is such a time, for values that no DTO carries. */
export function isTimestamp(value: unknown): value is string {
  return (
    isRFC3339(value) &&
    isISO8601(value, { strict: true, strictSeparator: true }) &&
    new Date(value as string).getUTCFullYear() <= LAST_YEAR
  );
}
