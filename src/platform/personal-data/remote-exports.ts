import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { SpanKind } from '@opentelemetry/api';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { ChannelWrapper } from 'amqp-connection-manager';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { DependencyUnavailableError } from '../../common/errors/problem.js';
import type { ModuleName } from '../../contracts/modules.js';
import { RabbitMqConnection } from '../messaging/rabbitmq/rabbitmq-connection.js';
import { currentTraceparent, inSpan } from '../observability/tracing/spans.js';
import { toJson } from './to-json.js';

/** RabbitMQ's direct reply-to: answers come to whoever asked, and are kept nowhere. */
const REPLIES = 'amq.rabbitmq.reply-to';
const PATIENCE_MS = 10_000;
const RETRY_AFTER_SECONDS = 5;
const QUEUE = { durable: true, messageTtl: PATIENCE_MS };

type Answer = (userId: string) => Promise<unknown>;

interface Question {
  userId: string;
  traceparent: string | null;
}

/**
 * How the modules' parts of a person's export come together when they are in different processes: asked for by RabbitMQ
 * and answered by it, passing through memory alone. Not a way for modules to depend on each other's answers.
 */
@Injectable()
export class RemoteExports {
  private readonly logger = new Logger(RemoteExports.name);
  private readonly waiting = new Map<string, (content: Buffer) => void>();
  private channel?: ChannelWrapper;

  constructor(@Inject(RabbitMqConnection) private readonly connection: RabbitMqConnection | null) {}

  /** Begins to answer for the modules of this process; does nothing where there is no broker, nor anybody to ask. */
  serve(sources: Map<string, Answer>): void {
    this.channel = this.connection?.createChannel('exports', async (channel) => {
      await channel.consume(REPLIES, (message) => message && this.receive(message), { noAck: true });
      for (const [module, answer] of sources) {
        await channel.assertQueue(queueOf(module), QUEUE);
        await channel.consume(
          queueOf(module),
          (message) => message && void this.answer(channel, message, module, answer),
          {
            noAck: true,
          },
        );
      }
    });
  }

  /**
   * What another process holds of a person.
   *
   * @throws DependencyUnavailableError where nobody is there to answer, or doesn't within ten seconds
   */
  async ask(module: ModuleName, userId: string): Promise<unknown> {
    const correlationId = randomUUID();
    let timer: NodeJS.Timeout | undefined;
    try {
      const answer = new Promise<Buffer>((resolve, reject) => {
        this.waiting.set(correlationId, resolve);
        timer = setTimeout(() => reject(new Error(`${module} did not answer`)), PATIENCE_MS);
      });
      const [content] = await Promise.all([answer, this.send(module, userId, correlationId)]);
      return (JSON.parse(content.toString()) as { part: unknown }).part;
    } catch (error) {
      const detail = 'Not every part of the service can be reached at the moment: try again soon.';
      throw new DependencyUnavailableError(detail, RETRY_AFTER_SECONDS, error);
    } finally {
      clearTimeout(timer);
      this.waiting.delete(correlationId);
    }
  }

  /** @throws Error where nobody is there to answer, or the broker is away */
  private async send(module: ModuleName, userId: string, correlationId: string): Promise<void> {
    const asked = await this.channel?.assertQueue(queueOf(module), QUEUE);
    if (!asked?.consumerCount) throw new Error(`nobody answers for ${module}`);
    const question = Buffer.from(JSON.stringify({ userId, traceparent: currentTraceparent() } satisfies Question));
    const options = { replyTo: REPLIES, correlationId, expiration: PATIENCE_MS };
    await this.channel?.sendToQueue(queueOf(module), question, options);
  }

  private receive({ properties, content }: ConsumeMessage): void {
    this.waiting.get(String(properties.correlationId))?.(content);
  }

  private async answer(
    channel: ConfirmChannel,
    { content, properties }: ConsumeMessage,
    module: string,
    answer: Answer,
  ): Promise<void> {
    try {
      const { userId, traceparent } = JSON.parse(content.toString()) as Question;
      const description = { kind: SpanKind.SERVER, continues: traceparent };
      const part = await inSpan(`answer ${queueOf(module)}`, description, async () =>
        text(Readable.from(toJson({ part: (await answer(userId)) ?? null }))),
      );
      const correlationId = String(properties.correlationId);
      channel.sendToQueue(String(properties.replyTo), Buffer.from(part), { correlationId });
    } catch (error) {
      this.logger.error({ err: error }, "a part of a person's export could not be given");
    }
  }
}

function queueOf(module: string): string {
  return `scalable-api.${module}.exports`;
}
