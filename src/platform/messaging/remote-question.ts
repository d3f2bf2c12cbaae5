import { randomUUID } from 'node:crypto';
import { SpanKind } from '@opentelemetry/api';
import { Logger } from '@nestjs/common';
import type { ChannelWrapper } from 'amqp-connection-manager';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { DependencyUnavailableError } from '../../common/errors/problem.js';
import type { ModuleName } from '../../contracts/modules.js';
import { currentTraceparent, inSpan } from '../observability/tracing/spans.js';
import type { RabbitMqConnections } from './rabbitmq/rabbitmq-connections.js';

/** RabbitMQ's direct reply-to: the answer goes straight to the process that asked and is stored nowhere. */
const REPLIES = 'amq.rabbitmq.reply-to';

export interface RemoteQuestionOptions {
  /** Part of the queues' names: `scalable-api.<module>.<name>`. */
  name: string;
  /** How long an answer is waited for; a question that waits longer in the queue is dropped. */
  timeoutMs: number;
  retryAfterSeconds: number;
  /** The sentence a client gets when nobody answers. */
  unavailable: string;
  /** False for a question that is asked all the time, whose spans would hide the others. True by default. */
  traced?: boolean;
}

/** @returns the answer's text */
type Answer<Q> = (question: Q) => Promise<string>;

/**
 * One kind of question that a process asks another one through RabbitMQ, with a bounded wait. Question and answer pass
 * through memory alone. For the few cases that events can't serve: modules don't depend on each other's answers.
 */
export class RemoteQuestion<Q extends object> {
  private readonly logger = new Logger(RemoteQuestion.name);
  private readonly waiting = new Map<string, (content: Buffer) => void>();
  private readonly queue: { durable: true; messageTtl: number };
  private channel?: ChannelWrapper;

  /** @param connections null where all modules are in one process: then there is nobody to ask */
  constructor(
    private readonly connections: RabbitMqConnections | null,
    private readonly options: RemoteQuestionOptions,
  ) {
    this.queue = { durable: true, messageTtl: options.timeoutMs };
  }

  /** Opens the channel, and begins to answer for these modules of this process. Without a broker it does nothing. */
  open(answers: Map<string, Answer<Q>>): void {
    this.channel = this.connections?.publishing.createChannel(this.options.name, async (channel) => {
      // Without a message: the queue is gone or has moved to another node. A new connection brings a consumer again.
      const restore = () => this.connections?.publishing.reconnect();
      await channel.consume(REPLIES, (message) => (message ? this.receive(message) : restore()), { noAck: true });
      for (const [module, answer] of answers) {
        const queue = this.queueOf(module);
        await channel.assertQueue(queue, this.queue);
        const onQuestion = (message: ConsumeMessage) => void this.answer(channel, message, queue, answer);
        await channel.consume(queue, (message) => (message ? onQuestion(message) : restore()), { noAck: true });
      }
    });
  }

  /**
   * @param timeoutMs how long the answer to this question may take
   * @returns the answer's text
   * @throws DependencyUnavailableError where the broker is not connected, nobody answers for the module, or not in time
   */
  async ask(module: ModuleName, question: Q, timeoutMs = this.options.timeoutMs): Promise<string> {
    const correlationId = randomUUID();
    let timer: NodeJS.Timeout | undefined;
    try {
      const answer = new Promise<Buffer>((resolve, reject) => {
        this.waiting.set(correlationId, resolve);
        timer = setTimeout(() => reject(new Error(`${module} did not answer`)), timeoutMs);
      });
      const [content] = await Promise.all([answer, this.send(module, question, correlationId)]);
      return content.toString();
    } catch (error) {
      const { unavailable, retryAfterSeconds } = this.options;
      throw new DependencyUnavailableError(unavailable, retryAfterSeconds, error);
    } finally {
      clearTimeout(timer);
      this.waiting.delete(correlationId);
    }
  }

  /** @throws Error where nobody is there to answer, or the broker is not connected */
  private async send(module: ModuleName, question: Q, correlationId: string): Promise<void> {
    // The channel would keep the question and send it later, when nobody waits for the answer.
    if (!this.channel || !this.connections?.publishing.canPublish) throw new Error('the broker takes no messages');
    const asked = await this.channel.assertQueue(this.queueOf(module), this.queue);
    if (!asked.consumerCount) throw new Error(`nobody answers for ${module}`);
    const content = Buffer.from(JSON.stringify({ ...question, traceparent: currentTraceparent() }));
    const options = { replyTo: REPLIES, correlationId, expiration: this.options.timeoutMs };
    await this.channel.sendToQueue(this.queueOf(module), content, options);
  }

  private receive({ properties, content }: ConsumeMessage): void {
    this.waiting.get(String(properties.correlationId))?.(content);
  }

  private async answer(
    channel: ConfirmChannel,
    { content, properties }: ConsumeMessage,
    queue: string,
    answer: Answer<Q>,
  ): Promise<void> {
    try {
      const question = JSON.parse(content.toString()) as Q & { traceparent: string | null };
      const description = { kind: SpanKind.SERVER, continues: question.traceparent };
      const reply =
        this.options.traced === false
          ? await answer(question)
          : await inSpan(`answer ${queue}`, description, () => answer(question));
      const correlationId = String(properties.correlationId);
      channel.sendToQueue(String(properties.replyTo), Buffer.from(reply), { correlationId });
    } catch (error) {
      this.logger.error({ err: error }, `a question could not be answered: ${queue}`);
    }
  }

  private queueOf(module: string): string {
    return `scalable-api.${module}.${this.options.name}`;
  }
}
