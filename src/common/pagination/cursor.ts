import { Injectable } from '@nestjs/common';
import { ValidationFailedError } from '../errors/problem.js';
import { SecretBox } from '../crypto/secret-box.js';

const PURPOSE = 'cursor';

/** Where a page ended: the sort key's value and the id that breaks ties. */
export interface Position {
  value: string | number;
  id: string;
  /** The page began with this value already, so a great many rows may have it. */
  tied?: boolean;
}

/**
 * Opaque cursors: a position, bound to the list and sort order it was made for, and signed, so that a cursor of one
 * list can't be spent on another and a made-up one is refused before it reaches a query.
 */
@Injectable()
export class Cursors {
  constructor(private readonly box: SecretBox) {}

  /** @param list the list and order the position belongs to, e.g. `tasks:-createdAt` */
  encode(list: string, { value, id, tied }: Position): string {
    const payload = Buffer.from(JSON.stringify(tied ? [value, id, true] : [value, id])).toString('base64url');
    return `${payload}.${this.box.sign(PURPOSE, `${list}:${payload}`)}`;
  }

  /** @throws ValidationFailedError (field `cursor`) for anything but a cursor of this list */
  decode(list: string, cursor: string): Position {
    const [payload = '', ...rest] = cursor.split('.');
    const signature = rest.join('.');
    if (!this.box.verify(PURPOSE, `${list}:${payload}`, signature)) {
      throw new ValidationFailedError([{ field: 'cursor', message: 'is not a cursor of this list and sort order' }]);
    }
    const parts = JSON.parse(Buffer.from(payload, 'base64url').toString()) as [string | number, string, true?];
    const [value, id, tied = false] = parts;
    return { value, id, ...(tied && { tied }) };
  }
}
