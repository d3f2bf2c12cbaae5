import { type ArgumentMetadata, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { type FieldError, ValidationFailedError } from '../errors/problem.js';
import { assertBounded } from './bounded-input.js';
import { assertPlainInput } from './plain-input.js';

class InputPipe extends ValidationPipe {
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    assertBounded(value);
    if (metadata.type === 'body' || metadata.type === 'query') assertPlainInput(value, metadata.type);
    return (await super.transform(value, metadata)) as unknown;
  }
}

/**
 * Checks bodies and queries against their DTO classes: unknown fields are refused, nothing is coerced unless the DTO
 * says so (`@Type`, `@Transform`, which only query DTOs do).
 */
export function createValidationPipe(): ValidationPipe {
  return new InputPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    stopAtFirstError: true,
    validationError: { target: false, value: false },
    exceptionFactory: (errors: ValidationError[]) => new ValidationFailedError(toFieldErrors(errors)),
  });
}

/** Flattens class-validator's tree into one entry a field, the path joined with dots. */
export function toFieldErrors(errors: ValidationError[], parent = ''): FieldError[] {
  return errors.flatMap(({ property, constraints, children }) => {
    const field = parent ? `${parent}.${property}` : property;
    const [message] = Object.values(constraints ?? {});
    return [
      ...(message === undefined ? [] : [{ field: field === 'undefined' ? 'body' : field, message: ofField(message) }]),
      ...toFieldErrors(children ?? [], field),
    ];
  });
}

/** class-validator puts the property's name first; the field is named beside the message already. */
function ofField(message: string): string {
  if (/^property .+ should not exist$/.test(message)) return 'is not known';
  if (message.startsWith('an unknown value')) return 'must be a JSON object';
  return message.replace(/^(each value in )?[\w.]+ (must|should|is)\b/, (_, each: string | undefined, verb: string) =>
    each ? `${each}it ${verb}` : verb,
  );
}
