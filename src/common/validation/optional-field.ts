import { ValidateIf } from 'class-validator';

/** May be left out, but not be null (class-validator's `IsOptional` lets null pass too: use that for nullable fields). */
export const OptionalField = () => ValidateIf((_object: object, value: unknown) => value !== undefined);
