import { MongoError } from '../errors.js';
import { MAX_MESSAGE_BYTES } from './message.js';

/**
 * Cuts a byte stream into messages by the length each begins with. Chunks are joined once a message is
 * complete, so a large one arriving in many pieces is copied once.
 */
export class MessageSplitter {
  private chunks: Buffer[] = [];
  private buffered = 0;

  /** @throws MongoError when a length is impossible; the stream is lost then. */
  *push(chunk: Buffer): Generator<Buffer> {
    this.chunks.push(chunk);
    this.buffered += chunk.length;
    while (this.buffered >= 4) {
      const length = this.peekLength();
      if (length < 16 || length > MAX_MESSAGE_BYTES) {
        throw new MongoError('FailedToParse', `Message length ${length} is outside 16 to ${MAX_MESSAGE_BYTES}`);
      }
      if (this.buffered < length) return;
      const all = this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks, this.buffered);
      const rest = all.subarray(length);
      this.chunks = rest.length > 0 ? [rest] : [];
      this.buffered = rest.length;
      yield all.subarray(0, length);
    }
  }

  private peekLength(): number {
    if (this.chunks[0]!.length < 4) this.chunks = [Buffer.concat(this.chunks, this.buffered)];
    return this.chunks[0]!.readInt32LE(0);
  }
}
