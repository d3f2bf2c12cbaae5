import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Inject, Injectable } from '@nestjs/common';
import type { ModuleName } from '../../contracts/modules.js';
import { RabbitMqConnections } from '../messaging/rabbitmq/rabbitmq-connections.js';
import { RemoteQuestion } from '../messaging/remote-question.js';
import { toJson } from './to-json.js';

interface Question {
  userId: string;
}

type Answer = (userId: string) => Promise<unknown>;

/** Collects the parts of a person's export from modules in other processes. */
@Injectable()
export class RemoteExports {
  private readonly question: RemoteQuestion<Question>;

  constructor(@Inject(RabbitMqConnections) connections: RabbitMqConnections | null) {
    this.question = new RemoteQuestion(connections, {
      name: 'exports',
      timeoutMs: 10_000,
      retryAfterSeconds: 5,
      unavailable: 'Not every part of the service can be reached at the moment: try again soon.',
    });
  }

  /** Begins to answer for the modules of this process; does nothing where there is no broker. */
  serve(sources: Map<string, Answer>): void {
    const answers = [...sources].map(
      ([module, source]) =>
        [
          module,
          async ({ userId }: Question) => text(Readable.from(toJson({ part: (await source(userId)) ?? null }))),
        ] as const,
    );
    this.question.open(new Map(answers));
  }

  /**
   * What another process holds of a person.
   *
   * @throws DependencyUnavailableError where no process answers, or not within ten seconds
   */
  async ask(module: ModuleName, userId: string): Promise<unknown> {
    return (JSON.parse(await this.question.ask(module, { userId })) as { part: unknown }).part;
  }
}
