import { Global, Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { CacheEpoch } from './cache-epoch.js';
import { CacheInvalidations } from './cache-invalidations.js';
import { CacheLease } from './cache-lease.js';
import { CacheRedis } from './cache-redis.js';
import { CacheState, CacheStateSchema } from './cache-state.schema.js';
import { ResponseCache } from './response-cache.js';

/** The response cache: `@CacheResponse` on a handler, and `invalidatesCache` on the schemas of what it shows. */
@Global()
@Module({
  imports: [MongooseModule.forFeature([{ name: CacheState.name, schema: CacheStateSchema }])],
  providers: [CacheRedis, CacheEpoch, CacheLease, CacheInvalidations, ResponseCache],
  exports: [ResponseCache, CacheInvalidations],
})
export class CacheModule {}
