import type { IncomingHttpHeaders } from 'node:http';
import { ProblemError } from '../errors/problem.js';

/** The first and the last byte of a part. */
export interface ByteRange {
  start: number;
  end: number;
}

const BYTE_RANGE = /^bytes=(\d*)-(\d*)$/i;

/** No byte of the file is in the range that was asked for. */
export class RangeNotSatisfiableError extends ProblemError {
  /** @param contentRange the value of `Content-Range`, which says how long the file is */
  constructor(contentRange: string) {
    super('RANGE_NOT_SATISFIABLE', 'The file has no such part.', { headers: { 'Content-Range': contentRange } });
  }
}

/**
 * The part of a file that a request asks for (RFC 9110, 14). A header that is no single byte range is ignored, as is one
 * whose `If-Range` names another state of the file.
 *
 * @param size of the file, in bytes
 * @param etag its strong entity tag, with its quotes
 * @returns null where the whole file is to be sent
 * @throws RangeNotSatisfiableError
 */
export function byteRangeOf(headers: IncomingHttpHeaders, size: number, etag: string): ByteRange | null {
  const { range = '', 'if-range': ifRange } = headers;
  const [, first = '', last = ''] = BYTE_RANGE.exec(range.replaceAll(/\s/g, '')) ?? [];
  if (first === '' && last === '') return null;
  if (ifRange !== undefined && ifRange !== etag) return null;
  if (first === '') return within({ start: Math.max(0, size - Number(last)), end: size - 1 }, size);
  if (last !== '' && Number(last) < Number(first)) return null;
  return within({ start: Number(first), end: last === '' ? size - 1 : Math.min(Number(last), size - 1) }, size);
}

function within(range: ByteRange, size: number): ByteRange {
  if (range.start >= size) throw new RangeNotSatisfiableError(`bytes */${size}`);
  return range;
}
