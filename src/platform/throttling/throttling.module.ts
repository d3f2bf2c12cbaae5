import { Module } from '@nestjs/common';
import { ThrottlerModule } from '@nestjs/throttler';
import type { Redis } from 'ioredis';
import { ThrottlingEnvironment } from '../../config/areas/throttling.environment.js';
import { REDIS } from '../redis/redis.module.js';
import { RedisThrottlerStorage } from './redis-throttler-storage.js';

@Module({
  imports: [
    ThrottlerModule.forRootAsync({
      inject: [ThrottlingEnvironment, REDIS],
      useFactory: (environment: ThrottlingEnvironment, redis: Redis) => ({
        storage: new RedisThrottlerStorage(redis),
        throttlers: [
          {
            name: 'general',
            limit: environment.THROTTLE_GENERAL_LIMIT,
            ttl: environment.THROTTLE_GENERAL_WINDOW_SECONDS * 1000,
          },
          {
            name: 'strict',
            limit: environment.THROTTLE_STRICT_LIMIT,
            ttl: environment.THROTTLE_STRICT_WINDOW_SECONDS * 1000,
          },
        ],
      }),
    }),
  ],
  exports: [ThrottlerModule],
})
export class ThrottlingModule {}
