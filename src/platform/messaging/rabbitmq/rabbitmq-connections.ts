import type { MessagingEnvironment } from '../../../config/areas/messaging.environment.js';
import type { ProcessEnvironment } from '../../../config/areas/process.environment.js';
import { RabbitMqConnection } from './rabbitmq-connection.js';

/**
 * The process's connections to RabbitMQ. During an alarm (memory, disk) the broker reads nothing more from a connection that
 * publishes. So nothing is published on the connection that consumes: acknowledgements would stop with it, and a
 * backlog that has raised the alarm would never shrink.
 */
export class RabbitMqConnections {
  /** Of the process's events, and of questions to other processes and their answers. */
  readonly publishing: RabbitMqConnection;
  /** Of queues that are consumed, asked about or declared. */
  readonly consuming: RabbitMqConnection;

  constructor(environment: MessagingEnvironment, { MODULES: served }: ProcessEnvironment) {
    this.publishing = new RabbitMqConnection(environment, served, 'publishing');
    this.consuming = new RabbitMqConnection(environment, served, 'consuming');
  }

  get isConnected(): boolean {
    return this.publishing.isConnected && this.consuming.isConnected;
  }

  /** Begins to connect, and to connect again whenever that is lost. */
  open(): void {
    this.publishing.open();
    this.consuming.open();
  }

  async close(): Promise<void> {
    await Promise.all([this.publishing.close(), this.consuming.close()]);
  }
}
