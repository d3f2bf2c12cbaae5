import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { CommonModule } from './common/common.module.js';
import { ProblemFilter } from './common/http/problem.filter.js';
import { UndeclaredInputGuard } from './common/http/undeclared-input.guard.js';
import { ConfigModule } from './config/config.module.js';
import type { Environment } from './config/environment.js';
import { eventsOf } from './contracts/module-manifest.js';
import type { ModuleName } from './contracts/modules.js';
import { PLATFORM_QUEUES } from './contracts/platform-queues.js';
import { assertMatchesManifest, assertUnique } from './manifest-checks.js';
import { MANIFESTS } from './modules.js';
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
import type { DeclaredQueue } from './platform/work/work-handlers.js';
import { WorkModule } from './platform/work/work.module.js';

/** The feature modules, by their names, as far as they match what their manifests say of them. */
async function loadFeatures(): Promise<Map<ModuleName, Type>> {
  assertUnique(MANIFESTS);
  const features = new Map<ModuleName, Type>();
  // One after the other: Jest can't link several dynamic imports of ES modules at once.
  for (const manifest of MANIFESTS) {
    const nestModule = await manifest.nestModule();
    assertMatchesManifest(manifest, nestModule);
    features.set(manifest.name, nestModule);
  }
  return features;
}

/**
 * Each module takes in events by its own listeners. With a broker, each also takes in who may ask: its process may be on
 * another database than auth's.
 */
function consumersFor({ MODULES: served, EVENT_BUS }: Environment, features: Map<ModuleName, Type>): EventConsumer[] {
  const kinds = EVENT_BUS === 'rabbitmq' ? ['', '.access'] : [''];
  return [...features].flatMap(([name, feature]) =>
    kinds.map((kind) => ({
      name: `${name}${kind}`,
      listeners: kind ? AuthenticationModule : feature,
      served: served.includes(name),
      brokerOnly: kind !== '',
    })),
  );
}

/** The queues that this process works on: the platform's, and those of the modules that it serves. */
function queuesOf({ MODULES: served }: Environment): DeclaredQueue[] {
  const ofModules = MANIFESTS.filter(({ name }) => served.includes(name)).flatMap(({ name, queues }) =>
    queues.map((queue) => ({ queue, declaredBy: `The manifest of the module ${name}` })),
  );
  return [...PLATFORM_QUEUES.map((queue) => ({ queue, declaredBy: 'src/contracts/platform-queues.ts' })), ...ofModules];
}

/** The whole service: the platform, and those feature modules of `src/modules.ts` that this process serves. */
@Module({})
export class AppModule {
  /** @throws Error where a module and its manifest contradict each other */
  static async forRoot(environment: Environment): Promise<DynamicModule> {
    const features = await loadFeatures();
    const eventTypes = MANIFESTS.flatMap(eventsOf).map(({ type }) => type);
    const dataHolders = MANIFESTS.filter(({ personalData }) => personalData !== null).map(({ name }) => name);
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(environment),
        CommonModule,
        DatabaseModule,
        MigrationsModule,
        RedisModule,
        MessagingModule.forRoot(environment, consumersFor(environment, features), eventTypes),
        IdempotencyModule,
        PersonalDataModule.forRoot(dataHolders),
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
        ...[...features].flatMap(([name, feature]) => (environment.MODULES.includes(name) ? [feature] : [])),
        // The last one, so that work begins after all others and ends before them.
        WorkModule.forRoot(queuesOf(environment), environment.WORK_ENABLED),
      ],
      providers: [
        { provide: APP_FILTER, useClass: ProblemFilter },
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
