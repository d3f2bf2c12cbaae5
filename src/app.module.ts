import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { CommonModule } from './common/common.module.js';
import { ConditionalReadInterceptor } from './common/http/conditional-read.interceptor.js';
import { ProblemFilter } from './common/http/problem.filter.js';
import { UndeclaredInputGuard } from './common/http/undeclared-input.guard.js';
import { NextLinkInterceptor } from './common/pagination/next-link.interceptor.js';
import { ConfigModule } from './config/config.module.js';
import type { Environment } from './config/environment.js';
import { type ModuleName, MODULES } from './contracts/modules.js';
import { AuthModule } from './modules/auth/auth.module.js';
import { NotificationsModule } from './modules/notifications/notifications.module.js';
import { TasksModule } from './modules/tasks/tasks.module.js';
import { UsersModule } from './modules/users/users.module.js';
import { AuditModule } from './platform/audit/audit.module.js';
import { AuthenticationGuard } from './platform/authentication/authentication.guard.js';
import { AuthenticationModule } from './platform/authentication/authentication.module.js';
import { AuthorizationGuard } from './platform/authentication/authorization.guard.js';
import { CacheModule } from './platform/cache/cache.module.js';
import { DatabaseModule } from './platform/database/database.module.js';
import { HealthModule } from './platform/health/health.module.js';
import { IdempotencyModule } from './platform/idempotency/idempotency.module.js';
import type { EventConsumer } from './platform/messaging/event-consumer.js';
import { MessagingModule } from './platform/messaging/messaging.module.js';
import { MigrationsModule } from './platform/migrations/migrations.module.js';
import { ObservabilityModule } from './platform/observability/observability.module.js';
import { ExcessWritesGuard } from './platform/overload/excess-writes.guard.js';
import { PersonalDataModule } from './platform/personal-data/personal-data.module.js';
import { ProfileVersionsModule } from './platform/profile-versions/profile-versions.module.js';
import { QuotasModule } from './platform/quotas/quotas.module.js';
import { RedisModule } from './platform/redis/redis.module.js';
import { ShutdownModule } from './platform/shutdown/shutdown.module.js';
import { StorageModule } from './platform/storage/storage.module.js';
import { RateLimitGuard } from './platform/throttling/rate-limit.guard.js';
import { ThrottlingModule } from './platform/throttling/throttling.module.js';
import { StepUpModule } from './platform/step-up/step-up.module.js';
import { WorkModule } from './platform/work/work.module.js';

const FEATURES: Record<ModuleName, Type> = {
  auth: AuthModule,
  users: UsersModule,
  tasks: TasksModule,
  notifications: NotificationsModule,
};

/**
 * Each module takes in events by its own listeners. With a broker, each also takes in who may ask: its process may be on
 * another database than auth's.
 */
function consumersFor({ MODULES: served, EVENT_BUS }: Environment): EventConsumer[] {
  const kinds = EVENT_BUS === 'rabbitmq' ? ['', '.access'] : [''];
  return MODULES.flatMap((name) =>
    kinds.map((kind) => ({
      name: `${name}${kind}`,
      listeners: kind ? AuthenticationModule : FEATURES[name],
      served: served.includes(name),
      brokerOnly: kind !== '',
    })),
  );
}

/** The whole service, and the only place that knows which feature modules there are. */
@Module({})
export class AppModule {
  static forRoot(environment: Environment): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(environment),
        CommonModule,
        DatabaseModule,
        MigrationsModule,
        RedisModule,
        WorkModule,
        MessagingModule.forRoot(environment, consumersFor(environment)),
        IdempotencyModule,
        PersonalDataModule,
        QuotasModule,
        StorageModule,
        CacheModule,
        AuthenticationModule,
        AuditModule,
        StepUpModule,
        ProfileVersionsModule,
        ThrottlingModule,
        ShutdownModule,
        HealthModule,
        ObservabilityModule,
        ...environment.MODULES.map((name) => FEATURES[name]),
      ],
      providers: [
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_INTERCEPTOR, useClass: NextLinkInterceptor },
        { provide: APP_INTERCEPTOR, useClass: ConditionalReadInterceptor },
        // In this order: who is asking, do they have too much waiting, how often, may they, and then what they ask.
        { provide: APP_GUARD, useClass: AuthenticationGuard },
        { provide: APP_GUARD, useClass: ExcessWritesGuard },
        { provide: APP_GUARD, useClass: RateLimitGuard },
        { provide: APP_GUARD, useClass: AuthorizationGuard },
        { provide: APP_GUARD, useClass: UndeclaredInputGuard },
      ],
    };
  }
}
