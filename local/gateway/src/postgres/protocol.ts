/** Messages of PostgreSQL's protocol 3.0, as far as the gateway speaks it: extended queries in binary format. */

/** A parameter on its way to the engine: text, raw bytes (BSON), a bigint or null. */
export type PgParameter = string | Buffer | bigint | null;

export function startupMessage(parameters: Record<string, string>): Buffer {
  const text =
    Object.entries(parameters)
      .flat()
      .map((part) => `${part}\0`)
      .join('') + '\0';
  const message = Buffer.alloc(8 + Buffer.byteLength(text));
  message.writeInt32BE(message.length, 0);
  message.writeInt32BE(196_608, 4);
  message.write(text, 8);
  return message;
}

export function cancelRequest(processId: number, secret: Buffer): Buffer {
  const message = Buffer.alloc(12 + secret.length);
  message.writeInt32BE(message.length, 0);
  message.writeInt32BE(80_877_102, 4);
  message.writeInt32BE(processId, 8);
  secret.copy(message, 12);
  return message;
}

export function parseMessage(name: string, text: string): Buffer {
  return frame('P', Buffer.from(`${name}\0${text}\0\0\0`));
}

/** Bind, Describe-free, and Execute of one prepared statement; all parameters and results are binary. */
export function bindAndExecute(name: string, parameters: readonly PgParameter[]): Buffer {
  const values = parameters.map(encodeParameter);
  const nameBytes = Buffer.byteLength(name);
  const size = values.reduce((total, value) => total + 4 + (value?.length ?? 0), 1 + nameBytes + 1 + 4 + 2 + 4);
  const message = Buffer.allocUnsafe(1 + 4 + size + EXECUTE.length);
  let offset = message.write('B', 0);
  offset = message.writeInt32BE(4 + size, offset);
  offset = message.writeUInt8(0, offset);
  offset += message.write(name, offset);
  offset = message.writeUInt8(0, offset);
  offset = message.writeInt16BE(1, offset);
  offset = message.writeInt16BE(1, offset);
  offset = message.writeInt16BE(values.length, offset);
  for (const value of values) {
    offset = message.writeInt32BE(value?.length ?? -1, offset);
    if (value) offset += value.copy(message, offset);
  }
  offset = message.writeInt16BE(1, offset);
  offset = message.writeInt16BE(1, offset);
  EXECUTE.copy(message, offset);
  return message;
}

function encodeParameter(value: PgParameter): Buffer | null {
  if (value === null || Buffer.isBuffer(value)) return value;
  if (typeof value === 'string') return Buffer.from(value);
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

function frame(type: string, body: Buffer): Buffer {
  const message = Buffer.allocUnsafe(5 + body.length);
  message.write(type, 0);
  message.writeInt32BE(4 + body.length, 1);
  body.copy(message, 5);
  return message;
}

const EXECUTE = frame('E', Buffer.from([0, 0, 0, 0, 0]));
export const SYNC = frame('S', Buffer.alloc(0));
export const FLUSH = frame('H', Buffer.alloc(0));
export const TERMINATE = frame('X', Buffer.alloc(0));

/** Values of one DataRow body, not copied. */
export function parseDataRow(body: Buffer): (Buffer | null)[] {
  const count = body.readInt16BE(0);
  const values: (Buffer | null)[] = [];
  let offset = 2;
  for (let column = 0; column < count; column++) {
    const length = body.readInt32BE(offset);
    offset += 4;
    values.push(length < 0 ? null : body.subarray(offset, offset + length));
    if (length > 0) offset += length;
  }
  return values;
}

/** Fields of an ErrorResponse by their one-letter tag. */
export function parseErrorFields(body: Buffer): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const field of body.toString('utf8').split('\0')) {
    if (field.length > 0) fields[field[0]!] = field.slice(1);
  }
  return fields;
}
