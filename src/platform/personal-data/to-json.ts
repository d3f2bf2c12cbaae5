/** Text is handed on in pieces of about this many characters: a piece for each row would cost more than the row. */
const PIECE_LENGTH = 32 * 1024;

/**
 * JSON of an object in pieces, as it is read: members may be asynchronous lists (`AsyncIterable`), which are never held
 * whole. Members that are undefined are left out, as `JSON.stringify` does.
 */
export async function* toJson(value: object): AsyncGenerator<string> {
  let piece = '';
  for await (const part of partsOf(value)) {
    piece += part;
    if (piece.length < PIECE_LENGTH) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

async function* partsOf(value: unknown): AsyncGenerator<string> {
  if (isList(value)) {
    yield '[';
    let separator = '';
    for await (const item of value) {
      yield separator + JSON.stringify(item);
      separator = ',';
    }
    yield ']';
  } else if (isObject(value)) {
    yield '{';
    let separator = '';
    for (const [name, member] of Object.entries(value)) {
      if (member === undefined) continue;
      yield `${separator}${JSON.stringify(name)}:`;
      yield* partsOf(member);
      separator = ',';
    }
    yield '}';
  } else {
    yield JSON.stringify(value);
  }
}

function isList(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
