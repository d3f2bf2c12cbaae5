import { Injectable, type PipeTransform } from '@nestjs/common';
import { NotFoundError } from '../errors/problem.js';

const OBJECT_ID = /^[0-9a-f]{24}$/;

/** A malformed id in a path is answered like an unknown one: 404. */
@Injectable()
export class IdPipe implements PipeTransform<string, string> {
  transform(value: string): string {
    if (!OBJECT_ID.test(value)) throw new NotFoundError();
    return value;
  }
}
