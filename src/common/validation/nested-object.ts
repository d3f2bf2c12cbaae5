import { applyDecorators } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsDefined, IsObject, ValidateNested } from 'class-validator';

/**
 * A field that has to be an object of this DTO class. `ValidateNested` alone lets a list of such objects pass, and an empty
 * list unchecked.
 */
export function NestedObject(type: () => new () => object): PropertyDecorator {
  return applyDecorators(IsDefined(), IsObject(), Type(type), ValidateNested());
}
