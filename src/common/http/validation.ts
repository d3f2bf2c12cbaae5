import { type ArgumentMetadata, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { type FieldError, ValidationFailedError } from '../errors/problem.js';
import { assertBounded } from './bounded-input.js';
import { assertPlainInput } from './plain-input.js';

/** What a DTO class says of itself, as static members; `createValidationPipe` explains them. */
interface InputClass {
  checkedAlone?: string;
  isOptionalBody?: boolean;
}

class InputPipe extends ValidationPipe {
  override async transform(input: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const { checkedAlone, isOptionalBody } = (metadata.metatype ?? {}) as InputClass;
    const value = isOptionalBody && input === undefined ? {} : input;
    assertBounded(value);
    const items = checkedAlone === undefined ? undefined : (value as Record<string, unknown> | null)?.[checkedAlone];
    if (checkedAlone === undefined || !Array.isArray(items)) return await this.check(value, metadata);
    const checked = await this.check({ ...(value as object), [checkedAlone]: items.map(() => null) }, metadata);
    return Object.assign(checked as object, { [checkedAlone]: items as unknown[] });
  }

  private async check(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'body' || metadata.type === 'query') assertPlainInput(value, metadata.type);
    return (await super.transform(value, metadata)) as unknown;
  }
}

/**
 * Checks bodies and queries against their DTO classes: unknown fields are refused, nothing is coerced unless the DTO
 * says so: query DTOs by `@Type` and `@Transform`, texts by their normal form. A class whose static `checkedAlone` names a
 * list gets its items as they were sent: each is checked by itself, so that a wrong one fails alone. For a class whose static `isOptionalBody` is
 * true, a request without a body counts as one without fields.
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
  if (/^property .* should not exist$/.test(message)) return 'is not known';
  if (message.startsWith('an unknown value')) return 'must be a JSON object';
  return message.replace(/^(each value in )?[\w.]+ (must|should|is)\b/, (_, each: string | undefined, verb: string) =>
    each ? `${each}it ${verb}` : verb,
  );
}
