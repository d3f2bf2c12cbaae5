import { serialize } from 'bson';
import { MongoError } from '../errors.js';

const FIXED_SIZES: Record<number, number> = {
  0x01: 8,
  0x06: 0,
  0x07: 12,
  0x08: 1,
  0x09: 8,
  0x0a: 0,
  0x10: 4,
  0x11: 8,
  0x12: 8,
  0x13: 16,
  0xff: 0,
  0x7f: 0,
};

/** One top-level element: where it lies in the document's bytes. */
export interface RawElement {
  name: string;
  type: number;
  start: number;
  valueStart: number;
  end: number;
}

/**
 * A BSON document of which only the top level has been looked at. Commands carry bodies of megabytes of which
 * the gateway needs a handful of scalars; the rest is handed to the engine as the bytes it came in.
 */
export class CommandDocument {
  readonly elements: readonly RawElement[];

  /** @throws MongoError (FailedToParse) when the bytes are not BSON at the top level. */
  constructor(readonly bytes: Buffer) {
    this.elements = scan(bytes);
  }

  /** The first field's name: the command's. */
  get firstName(): string {
    return this.elements[0]?.name ?? '';
  }

  find(name: string): RawElement | undefined {
    return this.elements.find((element) => element.name === name);
  }

  has(name: string): boolean {
    return this.find(name) !== undefined;
  }

  /** Text of a string field; undefined when missing or of another type. */
  string(name: string): string | undefined {
    const element = this.find(name);
    return element?.type === 0x02 ? this.bytes.toString('utf8', element.valueStart + 4, element.end - 1) : undefined;
  }

  /** Numeric field of any width (int64 loses precision above 2^53); undefined when missing or not a number. */
  number(name: string): number | undefined {
    const element = this.find(name);
    if (element?.type === 0x10) return this.bytes.readInt32LE(element.valueStart);
    if (element?.type === 0x12) return Number(this.bytes.readBigInt64LE(element.valueStart));
    if (element?.type === 0x01) return this.bytes.readDoubleLE(element.valueStart);
    return undefined;
  }

  int64(name: string): bigint | undefined {
    const element = this.find(name);
    if (element?.type === 0x12) return this.bytes.readBigInt64LE(element.valueStart);
    const value = this.number(name);
    return value === undefined ? undefined : BigInt(Math.trunc(value));
  }

  /** Truthiness as mongod reads optional flags: booleans and numbers other than zero. */
  boolean(name: string): boolean | undefined {
    const element = this.find(name);
    if (element?.type === 0x08) return this.bytes[element.valueStart] === 1;
    const value = this.number(name);
    return value === undefined ? undefined : value !== 0;
  }

  /** Embedded document or array. */
  document(name: string): CommandDocument | undefined {
    const element = this.find(name);
    const isDocument = element?.type === 0x03 || element?.type === 0x04;
    return isDocument ? new CommandDocument(this.bytes.subarray(element.valueStart, element.end)) : undefined;
  }

  /** Payload of a binary field. */
  binary(name: string): Buffer | undefined {
    const element = this.find(name);
    return element?.type === 0x05 ? this.bytes.subarray(element.valueStart + 5, element.end) : undefined;
  }

  /** Bytes of this document without the named top-level fields, and with the given elements put at its end. */
  rewrite(dropped: ReadonlySet<string>, appended: readonly Buffer[] = []): Buffer {
    const kept = this.elements.filter((element) => !dropped.has(element.name));
    if (kept.length === this.elements.length && appended.length === 0) return this.bytes;
    const parts = kept.map((element) => this.bytes.subarray(element.start, element.end));
    const size = [...parts, ...appended].reduce((total, part) => total + part.length, 5);
    const head = Buffer.allocUnsafe(4);
    head.writeInt32LE(size, 0);
    return Buffer.concat([head, ...parts, ...appended, Buffer.of(0)], size);
  }
}

/** The bytes of one field, to be put into a document by {@link CommandDocument.rewrite}. */
export function elementOf(name: string, value: unknown): Buffer {
  const { bytes, elements } = new CommandDocument(Buffer.from(serialize({ [name]: value })));
  return bytes.subarray(elements[0]!.start, elements[0]!.end);
}

function scan(bytes: Buffer): RawElement[] {
  if (bytes.length < 5 || bytes.readInt32LE(0) !== bytes.length || bytes[bytes.length - 1] !== 0) throw invalid();
  const elements: RawElement[] = [];
  const last = bytes.length - 1;
  let offset = 4;
  while (offset < last) {
    const nameEnd = bytes.indexOf(0, offset + 1);
    if (nameEnd < 0 || nameEnd >= last) throw invalid();
    const type = bytes[offset]!;
    const valueStart = nameEnd + 1;
    const end = valueStart + valueSize(bytes, type, valueStart, last);
    if (end > last) throw invalid();
    elements.push({ name: bytes.toString('utf8', offset + 1, nameEnd), type, start: offset, valueStart, end });
    offset = end;
  }
  return elements;
}

function valueSize(bytes: Buffer, type: number, start: number, last: number): number {
  const fixed = FIXED_SIZES[type];
  if (fixed !== undefined) return fixed;
  if (type === 0x0b) {
    const patternEnd = bytes.indexOf(0, start);
    const optionsEnd = patternEnd < 0 ? -1 : bytes.indexOf(0, patternEnd + 1);
    if (optionsEnd < 0) throw invalid();
    return optionsEnd + 1 - start;
  }
  if (start + 4 > last) throw invalid();
  const length = bytes.readInt32LE(start);
  if (length < 0) throw invalid();
  if (type === 0x03 || type === 0x04 || type === 0x0f) return Math.max(length, 5);
  if (type === 0x02 || type === 0x0d || type === 0x0e) return 4 + length;
  if (type === 0x05) return 5 + length;
  if (type === 0x0c) return 4 + length + 12;
  throw invalid();
}

function invalid(): MongoError {
  return new MongoError('InvalidBSON', 'Invalid BSON in the command');
}
