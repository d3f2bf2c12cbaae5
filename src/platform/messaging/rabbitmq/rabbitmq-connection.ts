import type { Duplex } from 'node:stream';
import { Logger } from '@nestjs/common';
import { AmqpConnectionManagerClass, type ChannelWrapper } from 'amqp-connection-manager';
import type { Channel, ConfirmChannel } from 'amqplib';
import type { MessagingEnvironment } from '../../../config/areas/messaging.environment.js';
import type { ModuleName } from '../../../contracts/modules.js';
import { within } from '../../overload/within.js';
import { tlsOptions } from '../../tls/tls-options.js';
import { tlsProblem } from '../../tls/tls-problem.js';

const RECONNECT_SECONDS = 1;
/** Two missed ones end a connection. */
const HEARTBEAT_SECONDS = 5;
const CONNECT_TIMEOUT_MS = 5_000;
/** A message that isn't confirmed by then counts as not published. */
const PUBLISH_TIMEOUT_MS = 5_000;
/** The broker doesn't hear a blocked connection say that it closes. */
const CLOSE_TIMEOUT_MS = 2_000;

/** A connection to RabbitMQ, which comes back by itself, channels and all. */
export class RabbitMqConnection {
  private readonly logger = new Logger('RabbitMQ');
  private readonly manager: AmqpConnectionManagerClass;
  private reachable = true;
  private blockedReason?: string;

  /** @param purpose part of the name under which the broker shows it */
  constructor(environment: MessagingEnvironment, served: ModuleName[], purpose: string) {
    this.manager = new AmqpConnectionManagerClass(environment.RABBITMQ_URL, {
      heartbeatIntervalInSeconds: HEARTBEAT_SECONDS,
      reconnectTimeInSeconds: RECONNECT_SECONDS,
      connectionOptions: {
        ...tlsOptions(environment, 'RABBITMQ'),
        timeout: CONNECT_TIMEOUT_MS,
        clientProperties: { connection_name: `scalable-api:${served.join(',')}:${purpose}` },
      },
    });
    this.manager.on('connect', () => {
      if (!this.reachable) this.logger.log('connected again');
      this.reachable = true;
    });
    const unreachable = (error: NodeJS.ErrnoException) => {
      // One line for an outage, not one for each attempt to reconnect.
      const reason = tlsProblem(error, environment, 'RABBITMQ') ?? error.code ?? error.name;
      this.blockedReason = undefined;
      if (this.reachable) this.logger.warn(`not reachable, events wait in the outbox meanwhile: ${reason}`);
      this.reachable = false;
    };
    this.manager.on('connectFailed', ({ err }: { err: NodeJS.ErrnoException }) => unreachable(err));
    this.manager.on('disconnect', ({ err }: { err: NodeJS.ErrnoException }) => unreachable(err));
    this.manager.on('blocked', ({ reason }: { reason: string }) => {
      this.blockedReason = reason;
      this.logger.warn(`blocked by an alarm of the broker, events wait in the outbox meanwhile: ${reason}`);
    });
    this.manager.on('unblocked', () => {
      this.blockedReason = undefined;
      this.logger.log('no longer blocked');
    });
  }

  get isConnected(): boolean {
    return this.manager.isConnected();
  }

  /**
   * Why the broker takes no messages on this connection, e.g. `low on memory`; undefined where it takes them. It says so
   * once something has been published during an alarm.
   */
  get blockedBy(): string | undefined {
    return this.blockedReason;
  }

  /** Whether a message can be expected to be taken at once. */
  get canPublish(): boolean {
    return this.isConnected && this.blockedReason === undefined;
  }

  /** Begins to connect, and to connect again whenever that is lost. */
  open(): void {
    this.manager.connect().catch(() => undefined); // said above; it goes on trying
  }

  /**
   * A channel with publisher confirms.
   *
   * @param setup what has to be true before it is used; done again after each reconnection
   */
  createChannel(name: string, setup: (channel: ConfirmChannel) => Promise<void>): ChannelWrapper {
    const channel = this.manager.createChannel({
      name,
      publishTimeout: PUBLISH_TIMEOUT_MS,
      setup: async (raw: ConfirmChannel) => {
        // The broker closes a channel over a mistake or a lost queue; only a new connection brings a new one.
        raw.on('error', () => this.reconnect());
        await setup(raw);
      },
    });
    channel.on('error', (error: Error) => {
      this.logger.warn({ err: error }, `the channel for ${name} could not be set up; connecting anew`);
      this.reconnect();
    });
    return channel;
  }

  /**
   * A plain channel of the present connection, which doesn't come back after it has closed.
   *
   * @throws Error where there is no connection
   */
  async openChannel(): Promise<Channel> {
    const connection = this.manager.connection;
    if (!connection) throw new Error('RabbitMQ is not connected');
    return await connection.createChannel();
  }

  /**
   * A channel broke down while the connection stands: cuts it, and it comes back in the ordinary way. Not the manager's own
   * `reconnect`, which stops listening and waits for the broker's word: a connection that breaks meanwhile then ends the
   * process with an error that nobody hears, or is never made again.
   */
  reconnect(): void {
    this.cut('a channel broke down');
  }

  /** Takes no longer than a few seconds, also where the broker doesn't answer. */
  async close(): Promise<void> {
    const closed = this.manager.close().then(() => true);
    if (!(await within(closed, CLOSE_TIMEOUT_MS, false))) this.cut('it could not be closed in time');
  }

  private cut(reason: string): void {
    const model = this.manager.connection as unknown as { connection: { stream: Duplex } } | undefined;
    model?.connection.stream.destroy(new Error(reason));
  }
}
