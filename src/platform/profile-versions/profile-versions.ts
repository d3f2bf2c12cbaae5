import type { ClientSession } from 'mongoose';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { RabbitMqConnections } from '../messaging/rabbitmq/rabbitmq-connections.js';
import { RemoteQuestion } from '../messaging/remote-question.js';

interface Question {
  userId: string;
}

/**
 * @param tx a transaction that a change of the profile has to conflict with, to its end
 * @returns the version of the profile; null without one
 */
type FindVersion = (userId: string, tx?: ClientSession) => Promise<number | null>;

/**
 * The current version of a user's profile, for conditions on routes of other modules. The module that owns the profiles
 * answers: in this process where it is served here, else asked through the broker.
 */
@Injectable()
export class ProfileVersions implements OnApplicationBootstrap {
  private findVersion?: FindVersion;
  private readonly question: RemoteQuestion<Question>;

  constructor(@Inject(RabbitMqConnections) connections: RabbitMqConnections | null) {
    this.question = new RemoteQuestion(connections, {
      name: 'profile-version',
      timeoutMs: 2000,
      retryAfterSeconds: 1,
      unavailable: "The condition can't be checked at the moment: try again soon.",
    });
  }

  /** Called by the module that owns the profiles, before the application has started. */
  provide(findVersion: FindVersion): void {
    this.findVersion = findVersion;
  }

  onApplicationBootstrap(): void {
    const { findVersion } = this;
    const answer = async ({ userId }: Question) => JSON.stringify(await findVersion?.(userId));
    this.question.open(new Map(findVersion && [['users', answer]]));
  }

  /**
   * @param tx a transaction. Where the profiles are in this process, a change of the profile conflicts with it; another
   *   process is asked for what it has committed
   * @returns null without a profile
   * @throws DependencyUnavailableError where the module that owns the profiles doesn't answer within two seconds
   */
  async find(userId: string, tx: ClientSession): Promise<number | null> {
    if (this.findVersion) return await this.findVersion(userId, tx);
    return JSON.parse(await this.question.ask('users', { userId })) as number | null;
  }
}
