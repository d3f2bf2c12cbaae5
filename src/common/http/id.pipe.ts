import { Injectable, type PipeTransform } from '@nestjs/common';
import { NotFoundError } from '../errors/problem.js';

const OBJECT_ID = /^[0-9a-f]{24}$/;

/** Whether a text is of the form that all ids have. */
export function isId(text: string): boolean {
  return OBJECT_ID.test(text);
}

/** A malformed id in a path is answered like an unknown one: 404. */
@Injectable()
export class IdPipe implements PipeTransform<string, string> {
  transform(value: string): string {
    if (!isId(value)) throw new NotFoundError();
    return value;
  }
}
