import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { deserialize, serialize } from 'bson';
import type { Document } from 'bson';

interface SendOptions {
  flags?: number;
  checksum?: boolean;
  sequences?: Record<string, Document[]>;
}

/** Speaks the wire protocol byte by byte, for what a driver does not send by itself. */
export class RawClient {
  private buffered = Buffer.alloc(0);
  private waiting: ((message: Buffer) => void)[] = [];

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.buffered = Buffer.concat([this.buffered, chunk]);
      while (this.buffered.length >= 4 && this.buffered.length >= this.buffered.readInt32LE(0)) {
        const length = this.buffered.readInt32LE(0);
        const message = this.buffered.subarray(0, length);
        this.buffered = this.buffered.subarray(length);
        this.waiting.shift()?.(message);
      }
    });
  }

  static async open(port: number): Promise<RawClient> {
    const socket = connect({ host: '127.0.0.1', port });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawClient(socket);
  }

  /** Sends OP_MSG without waiting. @param checksum appends four bytes, as the flag announces */
  send(command: Document, { flags = 0, checksum = false, sequences = {} }: SendOptions = {}): void {
    const sections = [Buffer.concat([Buffer.of(0), serialize(command)])];
    for (const [name, documents] of Object.entries(sequences)) {
      const content = Buffer.concat([Buffer.from(`${name}\0`), ...documents.map((document) => serialize(document))]);
      const head = Buffer.alloc(5);
      head[0] = 1;
      head.writeInt32LE(content.length + 4, 1);
      sections.push(Buffer.concat([head, content]));
    }
    const flagBytes = Buffer.alloc(4);
    flagBytes.writeUInt32LE(flags | (checksum ? 1 : 0));
    this.frame(2013, Buffer.concat([flagBytes, ...sections, Buffer.alloc(checksum ? 4 : 0)]));
  }

  /** Sends the command as an OP_QUERY, as old drivers' first hello is. */
  sendQuery(namespace: string, command: Document): void {
    const head = Buffer.concat([
      Buffer.alloc(4),
      Buffer.from(`${namespace}\0`),
      Buffer.alloc(4),
      Buffer.from([0xff, 0xff, 0xff, 0xff]),
    ]);
    this.frame(2004, Buffer.concat([head, serialize(command)]));
  }

  /** The next message: opcode and its document. */
  async receive(): Promise<{ opCode: number; document: Document }> {
    const message = await new Promise<Buffer>((resolve) => this.waiting.push(resolve));
    const opCode = message.readInt32LE(12);
    return { opCode, document: deserialize(message.subarray(opCode === 1 ? 36 : 21)) };
  }

  async command(command: Document, options: SendOptions = {}): Promise<Document> {
    const reply = this.receive();
    this.send(command, options);
    return (await reply).document;
  }

  close(): void {
    this.socket.destroy();
  }

  private frame(opCode: number, body: Buffer): void {
    const header = Buffer.alloc(16);
    header.writeInt32LE(16 + body.length, 0);
    header.writeInt32LE(1, 4);
    header.writeInt32LE(opCode, 12);
    this.socket.write(Buffer.concat([header, body]));
  }
}
