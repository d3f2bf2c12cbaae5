import { MongoError } from '../errors.js';

/** Largest message a driver may send, in bytes; the same number is announced in `hello`. */
export const MAX_MESSAGE_BYTES = 48_000_000;

export const OP_REPLY = 1;
export const OP_QUERY = 2004;
export const OP_COMPRESSED = 2012;
export const OP_MSG = 2013;

const HEADER_BYTES = 16;
const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 1 << 1;
/** Bits 0 to 15 are required: a receiver that meets one it does not know must refuse the message. */
const UNKNOWN_REQUIRED_BITS = 0xffff & ~(CHECKSUM_PRESENT | MORE_TO_COME);

/** A kind-1 section of OP_MSG: BSON documents one after another, as a driver sends bulk writes. */
export interface DocumentSequence {
  identifier: string;
  documents: Buffer;
}

/** A command as it came over the wire, whichever opcode carried it. */
export interface IncomingMessage {
  requestId: number;
  opCode: number;
  /** The command's BSON, not copied out of the network buffer. */
  body: Buffer;
  sequences: DocumentSequence[];
  /** OP_QUERY names its database in the namespace, not in `$db`. */
  queryDatabase: string | null;
  /** False for an unacknowledged write: the sender reads no reply, and sending one would break its framing. */
  expectsReply: boolean;
}

/**
 * Reads one whole message (header included).
 * @throws MongoError on malformed input; the stream cannot be trusted after it and has to be closed.
 */
export function parseMessage(message: Buffer): IncomingMessage {
  const opCode = message.readInt32LE(12);
  const requestId = message.readInt32LE(4);
  if (opCode === OP_MSG) return parseOpMsg(message, requestId);
  if (opCode === OP_QUERY) return parseOpQuery(message, requestId);
  if (opCode === OP_COMPRESSED) throw new MongoError('IllegalOperation', 'No compressor was negotiated');
  throw new MongoError('IllegalOperation', `Unsupported opcode ${opCode}`);
}

function parseOpMsg(message: Buffer, requestId: number): IncomingMessage {
  const flags = message.readUInt32LE(HEADER_BYTES);
  if ((flags & UNKNOWN_REQUIRED_BITS) !== 0) {
    throw new MongoError('FailedToParse', `Unknown required flag bits in OP_MSG: ${flags & UNKNOWN_REQUIRED_BITS}`);
  }
  const end = message.length - ((flags & CHECKSUM_PRESENT) !== 0 ? 4 : 0);
  const sequences: DocumentSequence[] = [];
  let body: Buffer | null = null;
  let offset = HEADER_BYTES + 4;
  while (offset < end) {
    const kind = message[offset];
    const start = offset + 1;
    const size = start + 4 <= end ? message.readInt32LE(start) : 0;
    if (size < 5 || start + size > end) throw new MongoError('FailedToParse', 'OP_MSG section runs past the message');
    if (kind === 0) {
      if (body) throw new MongoError('FailedToParse', 'OP_MSG has more than one body section');
      body = message.subarray(start, start + size);
    } else if (kind === 1) {
      sequences.push(parseSequence(message.subarray(start, start + size)));
    } else {
      throw new MongoError('FailedToParse', `Unknown OP_MSG section kind ${kind}`);
    }
    offset = start + size;
  }
  if (!body) throw new MongoError('FailedToParse', 'OP_MSG without a body section');
  const expectsReply = (flags & MORE_TO_COME) === 0;
  return { requestId, opCode: OP_MSG, body, sequences, queryDatabase: null, expectsReply };
}

function parseSequence(section: Buffer): DocumentSequence {
  const nameEnd = section.indexOf(0, 4);
  if (nameEnd < 0) throw new MongoError('FailedToParse', 'OP_MSG document sequence without a name');
  return { identifier: section.toString('utf8', 4, nameEnd), documents: section.subarray(nameEnd + 1) };
}

function parseOpQuery(message: Buffer, requestId: number): IncomingMessage {
  const nameEnd = message.indexOf(0, HEADER_BYTES + 4);
  if (nameEnd < 0) throw new MongoError('FailedToParse', 'OP_QUERY without a namespace');
  const [database = '', ...collection] = message.toString('utf8', HEADER_BYTES + 4, nameEnd).split('.');
  if (collection.join('.') !== '$cmd') {
    throw new MongoError('IllegalOperation', 'OP_QUERY is answered for commands only; use OP_MSG');
  }
  const start = nameEnd + 1 + 8;
  const size = start + 4 <= message.length ? message.readInt32LE(start) : 0;
  if (size < 5 || start + size > message.length) {
    throw new MongoError('FailedToParse', 'OP_QUERY document runs past the message');
  }
  const body = message.subarray(start, start + size);
  return { requestId, opCode: OP_QUERY, body, sequences: [], queryDatabase: database, expectsReply: true };
}

let lastRequestId = 0;

/** Frames a reply's BSON in the opcode that answers the request's. */
export function encodeReply(request: Pick<IncomingMessage, 'requestId' | 'opCode'>, document: Buffer): Buffer {
  lastRequestId = (lastRequestId + 1) & 0x7fffffff;
  const isLegacy = request.opCode === OP_QUERY;
  const prefix = HEADER_BYTES + (isLegacy ? 20 : 5);
  const message = Buffer.allocUnsafe(prefix + document.length);
  message.writeInt32LE(message.length, 0);
  message.writeInt32LE(lastRequestId, 4);
  message.writeInt32LE(request.requestId, 8);
  message.writeInt32LE(isLegacy ? OP_REPLY : OP_MSG, 12);
  message.fill(0, HEADER_BYTES, prefix);
  if (isLegacy) {
    message.writeInt32LE(8, HEADER_BYTES);
    message.writeInt32LE(1, HEADER_BYTES + 16);
  }
  document.copy(message, prefix);
  return message;
}
