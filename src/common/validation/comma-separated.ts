import { Transform } from 'class-transformer';

/** A query parameter that holds several values: `a,b`. */
export const CommaSeparated = () =>
  Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.split(',') : value));
