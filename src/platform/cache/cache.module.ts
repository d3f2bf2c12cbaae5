import { Global, Module } from '@nestjs/common';
import { CacheStore } from './cache-store.js';
import { ResponseCache } from './response-cache.js';

/** The response cache; `@CacheResponse` on a handler is all a module needs beside its invalidations. */
@Global()
@Module({ providers: [CacheStore, ResponseCache], exports: [ResponseCache] })
export class CacheModule {}
