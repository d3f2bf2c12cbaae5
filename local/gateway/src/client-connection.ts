import type { Socket } from 'node:net';
import { parseRequest } from './command-request.js';
import { dispatch } from './dispatcher.js';
import { MongoError } from './errors.js';
import { toMongoError } from './error-translation.js';
import type { Services } from './services.js';
import { encodeReply, parseMessage } from './wire/message.js';
import { MessageSplitter } from './wire/message-splitter.js';

/** Messages a client may have waiting before the gateway stops reading from it. */
const MAX_WAITING = 16;

/** One client's connection: its messages are answered one after another, in the order they came. */
export class ClientConnection {
  private readonly splitter = new MessageSplitter();
  private readonly waiting: Buffer[] = [];
  private busy: Promise<void> | null = null;
  private readonly address: string;

  constructor(
    private readonly services: Services,
    private readonly socket: Socket,
    readonly id: number,
  ) {
    this.address = `${socket.remoteAddress}:${socket.remotePort}`;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.receive(chunk));
    socket.on('error', () => socket.destroy());
  }

  /** Lets the running command finish, answers it, and hangs up. */
  async finish(): Promise<void> {
    this.socket.pause();
    this.waiting.length = 0;
    await this.busy;
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  private receive(chunk: Buffer): void {
    try {
      for (const message of this.splitter.push(chunk)) this.waiting.push(message);
    } catch (error) {
      this.hangUp(error);
    }
    if (this.waiting.length > MAX_WAITING) this.socket.pause();
    this.busy ??= this.drain().finally(() => (this.busy = null));
  }

  private async drain(): Promise<void> {
    for (let message = this.waiting.shift(); message; message = this.waiting.shift()) {
      await this.answer(message);
      if (this.socket.isPaused() && this.waiting.length === 0) this.socket.resume();
    }
  }

  private async answer(bytes: Buffer): Promise<void> {
    const { services, id, address } = this;
    try {
      const message = parseMessage(bytes);
      const reply = await this.run(() => dispatch(services, { id, address }, parseRequest(message)));
      if (message.expectsReply && this.socket.writable) this.socket.write(encodeReply(message, reply));
    } catch (error) {
      this.hangUp(error);
    }
  }

  /** A command whose envelope is wrong is answered; only broken framing ends the connection. */
  private async run(task: () => Promise<Buffer>): Promise<Buffer> {
    try {
      return await task();
    } catch (error) {
      return toMongoError(error).toReply();
    }
  }

  private hangUp(error: unknown): void {
    console.error(`client ${this.address}: ${error instanceof MongoError ? error.message : String(error)}; hanging up`);
    this.socket.destroy();
  }
}
