import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { CommonModule } from '../../common/common.module.js';
import { MessagingEnvironment } from '../../config/areas/messaging.environment.js';
import { ProcessEnvironment } from '../../config/areas/process.environment.js';
import { MigrationsModule } from '../migrations/migrations.module.js';
import { DeadLetters } from './dead-letters.js';
import { EventBus } from './event-bus.js';
import { EVENT_CONSUMERS, type EventConsumer } from './event-consumer.js';
import { EVENT_TYPES } from './event-types.js';
import { EventSubscriptions } from './event-subscriptions.js';
import { EventDispatcher } from './event-dispatcher.js';
import { InProcessBus } from './in-process-bus.js';
import { InboxEntry, InboxSchema } from './inbox.schema.js';
import { BIND_ONE_TIME_SECRETS, OneTimeSecrets } from './one-time-secrets.js';
import { Outbox } from './outbox.js';
import { OutboxEntry, OutboxSchema } from './outbox.schema.js';
import { OutboxRelay } from './outbox-relay.js';
import { QueueMetrics } from './rabbitmq/queue-metrics.js';
import { RabbitMqBus } from './rabbitmq/rabbitmq-bus.js';
import { RabbitMqConnections } from './rabbitmq/rabbitmq-connections.js';
import { RabbitMqConsumers } from './rabbitmq/rabbitmq-consumers.js';
import { TopologyWatch } from './rabbitmq/topology-watch.js';

/** Events between modules: outbox, relay, bus, inbox. */
@Module({})
export class MessagingModule {
  /**
   * @param consumers all that the service has, whether this process serves them or not
   * @param eventTypes of all events that this release publishes
   */
  static forRoot(environment: MessagingEnvironment, consumers: EventConsumer[], eventTypes: string[]): DynamicModule {
    return {
      module: MessagingModule,
      global: true,
      imports: [
        CommonModule,
        MigrationsModule,
        MongooseModule.forFeature([
          { name: OutboxEntry.name, schema: OutboxSchema },
          { name: InboxEntry.name, schema: InboxSchema },
        ]),
        MigrationsModule.forFeature('messaging', [BIND_ONE_TIME_SECRETS]),
      ],
      providers: [
        { provide: EVENT_CONSUMERS, useValue: consumers },
        { provide: EVENT_TYPES, useValue: eventTypes },
        EventSubscriptions,
        EventDispatcher,
        OutboxRelay,
        Outbox,
        DeadLetters,
        OneTimeSecrets,
        ...(environment.EVENT_BUS === 'rabbitmq' ? RABBITMQ : IN_PROCESS),
      ],
      exports: [Outbox, RabbitMqConnections, DeadLetters, OneTimeSecrets],
    };
  }
}

const IN_PROCESS: Provider[] = [
  { provide: EventBus, useClass: InProcessBus },
  { provide: RabbitMqConnections, useValue: null },
];

const RABBITMQ: Provider[] = [
  {
    provide: RabbitMqConnections,
    inject: [MessagingEnvironment, ProcessEnvironment],
    useFactory: (...areas: [MessagingEnvironment, ProcessEnvironment]) => new RabbitMqConnections(...areas),
  },
  TopologyWatch,
  RabbitMqBus,
  { provide: EventBus, useExisting: RabbitMqBus },
  RabbitMqConsumers,
  QueueMetrics,
];
