import { Global, Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import type { Connection } from 'mongoose';
import { DatabaseEnvironment } from '../../config/areas/database.environment.js';
import { ConfigurationError } from '../../config/environment.js';
import './closing-connections.js';
import { ClockSkew } from './clock-skew.js';
import { databaseProblem, databaseTls } from './connection.js';
import { readDatabaseClock } from './database-clock.js';
import { DatabaseMetrics } from './database-metrics.js';
import { DatabaseTracing } from './database-tracing.js';
import { DatabaseWatch } from './database-watch.js';
import { IndexSynchronizer } from './index-synchronizer.js';
import { leanDefaults } from './lean-defaults.js';
import { limitQueryTime } from './query-time-limit.js';
import { Transactions } from './transactions.js';

/** How long a query waits for a reachable server before it fails (and the client gets its 503), in milliseconds. */
const SERVER_SELECTION_TIMEOUT_MS = 3000;
/** A server that says nothing for both together counts as gone; the driver's own figures come to 40 s. In milliseconds. */
const CONNECT_TIMEOUT_MS = 10_000;
const HEARTBEAT_FREQUENCY_MS = 5000;
/** How long a query waits for a connection of the pool before it fails (and the client gets its 503), in milliseconds. */
const WAIT_QUEUE_TIMEOUT_MS = 5000;
/** A connection that a burst has opened is closed after so long without use; `MONGODB_MIN_POOL_SIZE` stay. In milliseconds. */
const MAX_IDLE_TIME_MS = 60_000;

/** The one connection (pool) of the process, and what works on it. */
@Global()
@Module({
  imports: [
    MongooseModule.forRootAsync({
      inject: [DatabaseEnvironment],
      useFactory: (environment: DatabaseEnvironment) => ({
        uri: environment.MONGODB_URI,
        ...databaseTls(environment),
        maxPoolSize: environment.MONGODB_MAX_POOL_SIZE,
        minPoolSize: Math.min(environment.MONGODB_MIN_POOL_SIZE, environment.MONGODB_MAX_POOL_SIZE),
        serverSelectionTimeoutMS: SERVER_SELECTION_TIMEOUT_MS,
        connectTimeoutMS: CONNECT_TIMEOUT_MS,
        heartbeatFrequencyMS: HEARTBEAT_FREQUENCY_MS,
        waitQueueTimeoutMS: WAIT_QUEUE_TIMEOUT_MS,
        maxIdleTimeMS: MAX_IDLE_TIME_MS,
        connectionFactory: async (connection: Connection) => {
          // Before anything stores or compares a time. The quickest of several answers is the most exact.
          for (let reading = 0; reading < 3; reading++) await readDatabaseClock(connection.getClient().db());
          return connection.plugin(limitQueryTime).plugin(leanDefaults);
        },
        // What a primary may lose by a failover isn't shown, and not kept in the cache.
        readConcern: { level: 'majority' },
        writeConcern: { w: 'majority' },
        monitorCommands: true,
        autoIndex: false,
        autoCreate: false,
        bufferCommands: false,
        retryAttempts: 0, // the service has waited for it before
        connectionErrorFactory: (cause: Error) =>
          new ConfigurationError(`MongoDB can't be reached: ${databaseProblem(cause, environment)}.`, { cause }),
      }),
    }),
  ],
  providers: [Transactions, IndexSynchronizer, DatabaseWatch, DatabaseMetrics, DatabaseTracing, ClockSkew],
  exports: [Transactions, IndexSynchronizer, DatabaseWatch, ClockSkew],
})
export class DatabaseModule {}
