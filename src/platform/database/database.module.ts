import { Global, Logger, Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { Environment } from '../../config/environment.js';
import { DatabaseMetrics } from './database-metrics.js';
import { IndexSynchronizer } from './index-synchronizer.js';
import { Transactions } from './transactions.js';

/** How long a query waits for a reachable server before it fails (and the client gets its 503), in milliseconds. */
const SERVER_SELECTION_TIMEOUT_MS = 3000;
/** Boot waits for the database rather than crash-loop: orchestrators see "not started", not "broken". */
const CONNECT_ATTEMPTS = Number.MAX_SAFE_INTEGER;
const CONNECT_RETRY_DELAY_MS = 1000;

/** The one connection (pool) of the process, and what works on it. */
@Global()
@Module({
  imports: [
    MongooseModule.forRootAsync({
      inject: [Environment],
      useFactory: (environment: Environment) => ({
        uri: environment.MONGODB_URI,
        maxPoolSize: environment.MONGODB_MAX_POOL_SIZE,
        minPoolSize: Math.min(environment.MONGODB_MIN_POOL_SIZE, environment.MONGODB_MAX_POOL_SIZE),
        serverSelectionTimeoutMS: SERVER_SELECTION_TIMEOUT_MS,
        monitorCommands: true,
        autoIndex: false,
        autoCreate: false,
        bufferCommands: false,
        retryAttempts: CONNECT_ATTEMPTS,
        retryDelay: CONNECT_RETRY_DELAY_MS,
        verboseRetryLog: false,
        connectionErrorFactory: (error: Error) => {
          new Logger('Database').warn(`MongoDB is not reachable yet (${error.name}); check MONGODB_URI if this goes on`);
          return error;
        },
      }),
    }),
  ],
  providers: [Transactions, IndexSynchronizer, DatabaseMetrics],
  exports: [Transactions, IndexSynchronizer],
})
export class DatabaseModule {}
