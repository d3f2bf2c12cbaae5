import type { Channel } from 'amqplib';
import { within } from '../../overload/within.js';
import type { RabbitMqConnection } from './rabbitmq-connection.js';

/** The longest that the broker may take to answer a check, in milliseconds. */
const TIMEOUT_MS = 5_000;
const NOT_FOUND = 404;

/**
 * A channel to check what exists in the broker. The broker closes a channel on which something missing is checked; the next
 * call opens another one.
 */
export class CheckChannel {
  private channel?: Promise<Channel>;

  constructor(private readonly connection: RabbitMqConnection) {}

  /**
   * @param check a passive declaration, for example `(channel) => channel.checkQueue(name)`
   * @throws Error where the broker gives no answer
   */
  async exists(check: (channel: Channel) => Promise<unknown>): Promise<boolean> {
    try {
      await this.run(check);
      return true;
    } catch (error) {
      if ((error as { code?: unknown }).code === NOT_FOUND) return false;
      throw error;
    }
  }

  /** @throws Error where the work fails or takes longer than `timeoutMs` */
  async run<T>(work: (channel: Channel) => Promise<T>, timeoutMs = TIMEOUT_MS): Promise<T> {
    const late = Symbol('late');
    const used = (this.channel ??= this.open());
    try {
      const result = await within(used.then(work), timeoutMs, late);
      if (result === late) throw new Error('RabbitMQ does not answer');
      return result;
    } catch (error) {
      // Most errors close it, and its event may have come before anybody listened. Another call may have opened the next one.
      if (this.channel === used) this.close();
      throw error;
    }
  }

  close(): void {
    this.channel?.then((channel) => channel.close()).catch(() => undefined);
    this.channel = undefined;
  }

  private open(): Promise<Channel> {
    const opened = this.connection.openChannel().then((channel) => {
      channel.on('error', () => undefined); // the call that caused it is rejected
      channel.on('close', forget);
      return channel;
    });
    const forget = () => {
      if (this.channel === opened) this.channel = undefined;
    };
    opened.catch(forget);
    return opened;
  }
}
